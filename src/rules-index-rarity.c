/*
 * How often bytes stand behind each other in the text of programs. Takes
 * bytes, gives their share; tables, no more. Counted over the newest trees of
 * six free projects, 155 MB of C, Go, Ruby, shell, Perl and documents.
 */
#include "rules-index.h"

#include <stdlib.h>
#include <string.h>

/*
 * Half bits of log2(1/share), 'A' 0 to 'Z' 25, 'a' 26 to 'z' 51; a row for
 * each first byte, a column for each second, from space to '?' and from '`'
 * to DEL, where control bytes and capitals are folded to.
 */
static const char pairs[64][65] = {
	"IYQVVVTUTbRXeTZWUUXZaabbbcVdVRWcVPRPRRRUTQXXSSRRRXRQPTUSaXZSUUeY",
	"bedfefffbdceeddeeffefffgfffffZfgeefcdddeecffddcdaadceefeefeeedff",
	"TeXcYZebdWReUababaadcccedeYaceYedXZXYZYXZYdbaZYaWaYXXYcbcbecaZec",
	"UddWfefffeZgXfcffdfffefgffXgeffggffdaaffgYfgeedebdfeffgggggbegeg",
	"acdfdeffZfefeedeecefeefffgefegfgebcacbbcccfebcbcafaabeedfgeafgge",
	"cfefecefcfddfdcgceZadeeeefffddcgfeecadefbefeceeecedUcdcddfdeeeff",
	"YfeeeeUfefUffffgfeffeeegeeeefeggedcbdcdeddfeddddccccdeefeeffffgg",
	"WfZedYedfaXfaccefffffefgggcdffeffcdbdcdbddffcdddbfcaaeffggffbdff",
	"cZWeacYcaWZfgdedbZcceeefefaeefgfcYaWYYZaaYdbZZXZYdYWXaZcdfeaeggb",
	"SeXbbedcbPSeWbYYeeefeffgefcTdfdedaaXZXYXaWedaZaaZdWWWbbbefeZaVfd",
	"NeWTbefZbPPcdZbVedeeccdddfcYWcffZYaWZYYbZYddXSZaXcYWWaZbdddYcWce",
	"YeefddefdbcZfeeecYefffefffecfbfgeeeddddeedeeeededeedddeeceffeegf",
	"PebfeeeeedTgdeffcddeefeffffffggffdecddeefdfedebedddddcfffffeeggg",
	"WedeedeefeadfRdebYbcdedecdfeeeTgeYYXYYVaaYedZZZYXcYXYabaefceddgg",
	"VfYeddedecUfffXbYZbbbbcccceedffedYZUYWYZXZcdYYXZYdYWXabbdcefadge",
	"XfcfdbeeedUfddcWebdeeeefffeffgcffZaXZbZaaaddZaaZYdYYYcbceeefcfdf",
	"WcagfaeddYYbXbYePXYaaaYZbbcYeffgecddcddfeeeeedfeYaZdeeefXfefcZge",
	"XeagedfeeYZfYcYcXZYaZYZaaacZeeegfcdcdcdfeddcddcdbdeeedcYfeefdZgd",
	"YfbfecfedaafZcZdWaZYYZaabbddeecgecccddceddeeeeeeYbeeeeefefeeebfa",
	"ZfcgfegffbafbdbeabYZZababcefegegfdbcbdefeeefeedecdeefffeffffedgd",
	"XfcffefeccaebcbdaaZbaabbbbdcefffeddddddeeeedeeceZbdeefeeefededgc",
	"YfcfedeefcafbdbfabZabaabbbeeeffgeddddcdedddbdddcYZeeedYecededdfe",
	"bgdfeefeedbecdcfabbaXbZbcceeeffgfddddddeeeeeeeefacdeeeeeeeeffefd",
	"bfdggeeffebgdebfbabbcbaaccfgfgfgfecdeddffeeeefeeadeeffffffegefgf",
	"ZecffefgfdaccccebcbccbcccbefeffgfededddffeeededfYZdeecefefegffge",
	"bfdfdeeffdbfcdcebcccbcccbadffffgfdeddddeeeffeededefeeffffeeffegf",
	"RebebbfefeWfedfZbZbcbcddcdWfeYgeeaaabbbcabffcbbdYbbZacddffgecegg",
	"WfccfeeegdQeeeeegegfdYeffefcefffeededdefgeggeeefZbfeeffegggfffgg",
	"XfeffcggdddfdbfWfeeffefffgdgZdfegdcabccddcfccdaaYdabbcdfffffegfg",
	"RfWgbdecffbfffefdddeeffffgffcVZfgefefddeedfffeceXbdddfffgffeegeg",
	"WfbfeddefdVfdfbeedefdeggddefaccfeabZbabdbbfeacabWZbZbcdeddgdaage",
	"ageggfffbfbgegffgfggggffggfgefeffggffffegeffegeeabgffffgegggefff",
	"YfcfddfffeaecbadfffgfdefggcfegggYbcadcddddddddedbfabccddffgefefe",
	"TfbgfdfedabeZabbdbcddddeeeaZfebffXTRSaYUbTcXQSQbUbQRPVWZYWbdeegY",
	"XgbffcddcbbbbZXZdccdYcccddZcfeegeUZZbTccdWWdUZdWcdWYbTeeeWeefefa",
	"UaaccdfbaYYeZWZbdccaccbeddYcceeffSaWaSYcRWcTTXcPacUYQTbcdadedefW",
	"QeXfebfbXXUdXYXbcZcddcdebcXaebbcdTYZVQaccSddXbZUadXVaVbdaZedcbeU",
	"OcWeeceaVVUcVVUZbbbccdddddWYbXYbbRXQQUSWaXaaSTPXTUOPQYVVSWbabXfS",
	"RfbfeefdWaYeZZZdcddccccdcdccdcefeUcaZVVbcRddWbaScdVWWWeedYedddgW",
	"TfafeffdZaaeZaXbeeeecdffffacfbdffXcZcScZYRddZbWXceVTZXbdVcddddgW",
	"TeZefdecZaZeaaZcecbddeeeeeadfdbedSdabQcedTecbacUbeYZUXededddedgW",
	"XcbfeeeedbbbcbbdecdeeedeeeddfeegfVVTRTSTdbdaRUORWbTRPbVdXdVfeafa",
	"cgeffffgfefeeeffcedeeeeedefeefffebdcdWeeedededeXdddaebedeeeffegd",
	"WebffdeebaacbaaddcdeedefeecagedfeZdcbTcbcXedbcaZdccXZbddedeeedgY",
	"SfZeeefcYXXdXZXbeddeeeedeeYadbbfcSZYVPYbcRecSabRYeaTTTZcbVedecgU",
	"VebffefebbbebbZaeddeeddeeeadfecgfRXaYQcdcTecYUaTTccSZXcddZdeeefX",
	"QgVffegaYYXeYYXXfbecdceddcZZbaZcdSbSQRUQbUdXXaVSYdZSQUXdcYdddbfV",
	"SdZeddfdbbXfaZacfeeeedefefcececefXUTTZTVcVbWTSPUTePUSSWVZccfddgX",
	"VcbffdfeZaacaaZbWaXbYWcZWbXYZWWYeRdZXRbbZWebTcbTVdSWTWccdZddeegV",
	"XYXadddcccccbedaeeefdeaeeffffffgecddececeddcadeeedddeTdceeefffgd",
	"QfYefefcWXXeXYWZedceeeefdeYZebbecRXVVNZUcRdXTUURadTTSUWaeUcbccfV",
	"PeVeedeXXWWcWYUWeddeedefffVaeaadcUaUYPaSTSdYWYaUUaZROTbZeXbYaafU",
	"OeXffdfbWWVdWVVYecdceeafdeXYeaZebQbUYOYbPPecXXZQUeQTTTcYXUcabagR",
	"XgcefffedeefcddeeeeeeeefeeffeefgdVVUXTWYcUdcSUSaUdRSSccdYddfffgc",
	"ageffdffdbYecacddbbddddfededfeeffTdbdRdddWedddcXdeebdeddeeecffga",
	"XfceffefadbecbbdfeeeedeffedfgffgdWYcbWdeWUeebdZWdeXZcedbeedfefgZ",
	"XebffdgecacYaZadZccdebcddedcfedgeZdZbYbddYeedbedUeccWceeaaeefdgU",
	"TfZffefdZaZeZaZcfeefefefffbdfdbdeacbcZcddaedaZZXVebYZeebecdeedgW",
	"cgdffggfgedfeeeeffffffffeefffffgeadddVdeebeedddbeedcdcedeccffefe",
	"YfafbefdefTffZefZaceedffffbfbffgdbcbcbcddZdebcbdcfaabeeefefbeYee",
	"WfYfdffeddXffececeeffgffffffedfffeeddddffegffeVfeecdcdfeagfeYfgb",
	"UeZggefecYSeWeZdffffghfggfdZfffefgeegfegfeffffffefecggfggffccZff",
	"cgfffggfffeggfgffeffffggedgfffgfgggegggfgfggggggggffggggeegffgaf",
	"bgdffgggbdcgcffeeddefefggggfeggghVWTVUVXVUcZVVVVUaUTTXYXdfdgbgfX",
};

/* The same of single bytes. */
static const char singles[] =
	"GRMQRQQQOLKRNNNONPPQQQQRRROPQOPSRJNKLIMMMJRPKLKKLPJJILOOOORPQPTM";

/*
 * What pairs do not tell: the four bytes that stand in many words, sorted, and
 * a digit each for their share.
 */
static const char common[] =
	"----0-fil3-for1-ref3_add3_all3_arg3_cha3_cmp3_com2_con1_cou3"
	"_dat3_dir3_eas3_equ2_err2_exp2_fai3_fil2_for2_get3_has3_hea3"
	"_htt2_ind3_ini3_inp3_int3_key3_len3_lin3_lis3_log3_met3_mod3"
	"_nam2_not3_opt3_par3_pat2_pre3_pro2_rea3_ref3_rep3_req2_res3"
	"_set2_siz3_sta2_str2_suc2_tes3_tim3_to_3_typ3_val3_ver3_wit3"
	"aaaa2abel1able0acce3ache2acke2acti0actu2addr2ader2afte3aile2"
	"ails2aint3aise3alid2aliz3allb3alle3allo1ally3alse2alue1ame_3"
	"ames3ampl2ance2anch2and_3andl2ange1anno3appe2appl2aram2arch3"
	"aren2arge2args3argu3argv3aria3arra3arse2arti3asse0aste3asy_3"
	"atch1ate-3ate_2ated2ater3ates3aths3atic2atio0ativ3ator2atte3"
	"attr2atur3atus2ault2auth2auto3back2base1bbbb3befo3bels2bjec1"
	"ble_2blob3bloc2bmod2body3bool3bran2brea3buck3buf_3buff3buil1"
	"bute2byte3c-fo1cach2call2cann3case2cate2cati2cces2cens3cept3"
	"cess1chan1char1che_3chec1ched3chem3ches3chun2cifi3cked3cket2"
	"ckou3clas2clea2clie2clos3clud1clus3code1codi3colo3colu3comm0"
	"comp1cond2conf0conn1cons1cont0copy2cord1core3corr3coul3coun1"
	"crea2crip2ct_s2cted2ctio0ctiv1ctor1ctua2ctx-3curl0curr2data0"
	"date1ddre3debu3defa2defi2dele3dent3ders3desc3dest3diff2ding2"
	"dire2disa3disc3dism3dist3diti3does3done3down3dule1e_co3e_in3"
	"e_re2each2ead_3eade2eads3eam_3ease3easy3eate2ebas3ebug3echo3"
	"ecif3ecko3econ2ecor1ect_1ecte2ecti1ecto2ects2ecur3edis2efau2"
	"efer3efin2efix3efor3elea3elec3elem3elet3elpe3else2emai3emen2"
	"emot2emov3empl3empt2enab3enam2ence3enco3ende2endi2ener2engt2"
	"ense3ent-3ent_2enta3enti2entr2ents2eply3epos2equa1eque1equi2"
	"erat2erec3eren3erge1erie2erif2ermi3erna3erro1ersi2ert_1erve1"
	"escr3eset2esol3espa3espo3ess_2essa2essi3est-3est_0esta3estc3"
	"esti3estr3ests2esul2etch3eter3ethe2etho2etri3etur0evel3even2"
	"ever3exam3exec3exis2expe1expi3expr2exte3fail2fals2faul2feat3"
	"fere3fetc3ffer2ffse3fica3fied3fiel3figu2file0filt2find3fine2"
	"fini3firs2flag2floa3fore3form0free2from1fset3fter3func1gene3"
	"get_3git-3git_2gith3give3glob3gned2gnor3gram2grat3grep3gres2"
	"grou2gume3gura3gx_c3gx_h2gx_l3gx_s3hand2hang2hash2have2head1"
	"heck1hell3help2here2heus3hich3hile3hing3hist2hook3host2houl3"
	"hout3hrea3html3http0hunk2iabl3iali3ibut2icat2icen3idat3iden3"
	"ield3ient2ific3ifie2ight2igin3igne2igno3igur2ile_3iled2ilen3"
	"iler3iles2ilte2ilti1imes3imit3impl3inal3incl1inde1ined3ines3"
	"info1ing_2ings3init1inpr3inpu3inst2int_3inte1intf3inva3ion_2"
	"iona3ions1irec2irst2isab3ismo3issi3iste3isti3isto2istr3ists3"
	"item3iter2ith_2itho3ithu3itia3itio2itor2itte3ive_3iver2ives3"
	"ize_2izeo3ject1kets3keys3king3know3kout3ktre3l_ea3labe1lace3"
	"lags2lang3lass2last2late2lati3lbac3lean3leas3lect2leme3leng2"
	"less3lete2lica2lice3lien2limi3line1ling3link3list1lize3llba3"
	"ller3lloc2llow2load2loat3loc_3loca2lock2log_3long2lopt3lose3"
	"lper3lter2ltin2lude1lues3lumn3lust3mail2main2make2mall3mand1"
	"mark3matc2mber2ment1merg1mess2meta3meth2metr3miss3mit_3mits3"
	"mitt3mman1mmen3mmit1mode2modi3modu1more3mote2move2mpla3mple1"
	"mpty2mult2must3nabl2name0nclu1ncod3ncti2nder2ndex1ndif3ndle2"
	"nect2need3nera3next2nfig0nges3ngth2ngx_0ning2niti3nnec2nnot3"
	"node2nore3note3npro3nput3nsig3nsta2nt_t3ntai3nten2nter1ntex3"
	"ntin3ntro3ntry2null1numb2nval3obje1ocal3ocat3oces3ocke3ocol3"
	"odel2odif3odin3odul1offs3ogra2ogre3oint3oken3olle2olor3olum3"
	"omet2omma1omme3ommi1ompa3ompl3onal3ondi3onf_3onfi0only2onne2"
	"onse3onst1onta3onte1onti3ontr2open3oper3opic3opt_2opti0opts3"
	"orag3orde3ords3ore_3orig3orma0orte3osit2otes3othe2otoc3ould2"
	"ound2ount1ourc2outp2over2p_in3pace3pack1para1pare2pars2part2"
	"pass3patc2path1pdat2peci2pect1pend2perf3pers3plac3plat3ples3"
	"plic2poin3pons3pool3port1posi2post2ppen2ppli3ppor2prec3pref2"
	"pres2prev3prin2proc2prog2prom2prot2prox3pstr3ptio0push3qual1"
	"quer3ques2queu3quir2quot3race3rack3ract3rage3rail2rais3rame3"
	"rams3ranc2rang2rans2rate2rati2rato3rbuf3rder3read1reak3ream2"
	"reat2reba3rece3reco1rect2redi2refe3refi3refs2rela3rele3remo1"
	"rena3renc3rent2repl2repo1requ1rese2reso3resp2ress2resu2retu0"
	"rev-3revi3rget3rgum3riab3ribu2ries2rify3righ3rigi3ring1rint2"
	"ript2rite2rl_e3rlop3rmat0roce3rogr2roll3rome3root1roto2roup3"
	"roxy3rray3rren3rror0rsio2rt_e2rt_n3rted3ruby3ruct1rver2s_re3"
	"sabl3sage2samp2save3sche3scri2seco3sect3sele3self3send3sent3"
	"seri2sert0serv1set_3setu3sgst0shar3shou3show3side3sign2sing2"
	"sion1siti3sito2size1skip3smod3sock2solv3some3sour2spac3spec2"
	"spon3ss_r3ssag2sser0ssin3ssio3ssl_3st_c2st_e2st_f3st_m3stan2"
	"star1stat0sten3ster2stin2stog2stor2stra3strb3stre2stri1stru1"
	"subm2subs3succ2sult2supp2sync3t_cm3t_co2t_eq2t_ex2t_in3t_no3"
	"t_pa3t_re3t_su2tabl2tags3tain3tanc3targ3tart2tate2tati1tatu2"
	"tche3ted_3temp3tent2ter_2tera2term3tern2ters3test0text2that1"
	"then2ther2theu3thin3this1thod2thor3thou3thre2thub3tial2tifi3"
	"time1ting1tinu3tion0tive1toco3togr2tool3topi3tora3tore3tory2"
	"tp_i3tput2trac2trai3tran2trbu3trea2tree1trib2tric2trin1trol3"
	"truc1true2tter3ttp_1ttps3ttri3tual2ture2turn0type1ubmo2ucce2"
	"ucke3uery3uest2ueue3uffe3uild3uilt1uint2uire2ule_3ules3ulti2"
	"umbe2umen2unct2unde3unsi3upda2uppo2upst3urat3urce2ures3url_1"
	"urle3urlo3urns3urre2used2user2usin3usta2uste3utes3utho3utpu2"
	"vali2valu0vari3vect3vent2vere3veri2vers2vert3very3view3void1"
	"ware3warn3when2wher3whic3whil3will2with0word3work2writ1x_co3"
	"x_ht2x_lo3x_st3xamp3xist2xpec1xpir3your3ytes3ze_t2zeof3zero3";
#define COMMON_LEN 4
static const double shares[] = { 0.0007, 0.00035, 0.00017, 0.00008 };
/* Of what is not among them; the rarest there has about as much. */
static const double share_of_others = 0.00006;

static int by_bytes(const void *key, const void *item)
{
	return memcmp(key, item, COMMON_LEN);
}

/* The share of four letters, '-' or '_'; 0 when it has to be estimated. */
static double look_up(const int *bytes)
{
	char key[COMMON_LEN];
	const char *at;

	for (size_t i = 0; i < COMMON_LEN; i++) {
		if (bytes[i] < 0)
			return 0;
		key[i] = (char)(bytes[i] == 0x7f ? '_' : bytes[i]);
	}
	at = bsearch(key, common, sizeof(common) / (COMMON_LEN + 1),
		     COMMON_LEN + 1, by_bytes);
	return at ? shares[at[COMMON_LEN] - '0'] : 0;
}

static unsigned class_of(int byte)
{
	return ((unsigned)byte & 31) | ((unsigned)byte & 64) >> 1;
}

static int half_bits(char c)
{
	return c <= 'Z' ? c - 'A' : c - 'a' + 26;
}

/* As if each byte depended on the one before it alone. */
static double estimate(const int *bytes, size_t nr)
{
	int sum = 0, last = -1;
	double share = 1;

	for (size_t i = 0; i < nr; i++) {
		if (bytes[i] >= 0 && last >= 0)
			sum += half_bits(pairs[class_of(last)]
					      [class_of(bytes[i])]) -
			       half_bits(singles[class_of(last)]);
		else if (bytes[i] >= 0)
			sum += half_bits(singles[class_of(bytes[i])]);
		last = bytes[i];
	}
	for (; sum > 0; sum--)
		share *= 0.70710678; /* half a bit, 2^-0.5 */
	return share;
}

double rules_index_rarity(const int *bytes, size_t nr)
{
	double share = nr == COMMON_LEN ? look_up(bytes) : 0, guess;

	if (share > 0)
		return share;
	guess = estimate(bytes, nr);
	return nr == COMMON_LEN && bytes[COMMON_LEN - 1] >= 0 &&
	       guess > share_of_others ? share_of_others : guess;
}
