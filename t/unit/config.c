/* config.c and its neighbours: what is stored, and what is refused where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "buf.h"
#include "config-internal.h"
#include "log.h"

static struct buf logged;

static void tee(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	buf_addf(&logged, "%s%s\n", level == LOG_WARN ? "warning " : "", line);
}

static struct config *load(const char *text)
{
	char path[] = "/tmp/config-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct config *c;

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	buf_reset(&logged);
	buf_adds(&logged, "");
	c = config_load(path);
	unlink(path);
	return c;
}

static const char whole[] =
	"[gate]\n state = /s/\n git = /opt/git\n workers = 7\n"
	"[session]\n READTIMEOUT = 1500ms\n writeTimeout = 2m\n"
	" maxBody = 3g\n maxRequest = 5m\n sessionTimeout = 24d\n"
	"[push]\n park = /p/\n parkMax = 9\n parkSize = 2m\n"
	"[maintenance]\n auto = no\n delay = 3s\n timeout = 2h\n"
	" removeUnused = 90d\n"
	"[scan]\n maxObject = 10K\n report = 3\n archives = 2\n unknown = note\n"
	" deadline = 90s\n exceptions = /x\n"
	"[repo \"acme/*\"]\n upstream = forge ; before the upstream itself\n"
	" fresh = 90s\n"
	"[repo \"lab/*\"]\n hosted = /srv/git//\n"
	"[repo \"off\"]\n upstream = web\n fresh = offline-ok\n"
	" pushOptions = ci.skip  topic=*\n"
	"[upstream \"forge\"]\n url = ssh://git@forge.example:22\n"
	" identityFile = /k\n knownHosts = /h\n ignoreCase\n"
	" controlPersist = 0s\n atomic = prefer\n"
	"[upstream \"web\"]\n url = https://[::1]:8443/x/\n"
	" tokenFile = /t\n suffix = \"\"\n ignoreCase = no\n"
	" followRedirects\n"
	"[access]\n allow = fetch * acme/*\n"
	" deny = push,rewind  ada\tlab/x   refs/heads/*\n"
	" allow = * * * refs/tags/*\n"
	" allow = * * * *\n";

static void stores(void **state)
{
	struct config *c = load(whole);

	(void)state;
	assert_string_equal(logged.data, "");
	assert_non_null(c);
	assert_string_equal(c->state, "/s");
	assert_string_equal(c->mirrors, "/s/mirrors");
	assert_string_equal(c->spool, "/s/spool");
	assert_string_equal(c->git, "/opt/git");
	assert_string_equal(c->ssh, SSH_PATH);
	assert_string_equal(c->hooks, LIBEXECDIR "/hooks");
	assert_int_equal(c->workers, 7);
	assert_int_equal(c->read_ms, 1500);
	assert_int_equal(c->write_ms, 120000);
	assert_int_equal(c->total_ms, 24 * 86400000LL);
	assert_int_equal(c->queue_ms, 30000);
	assert_true(c->max_body == (uint64_t)3 << 30);
	assert_true(c->max_request == 5 << 20);
	assert_true(c->max_object == 10240);
	assert_int_equal(c->report, 3);
	assert_null(c->rules);
	assert_int_equal(c->scan_threads, 0);
	assert_true(c->scan_memory == 256 << 20);
	assert_int_equal(c->decode_depth, 3);
	assert_int_equal(c->archive_depth, 2);
	assert_int_equal(c->scan_note, 1);
	assert_int_equal(c->scan_ms, 90000);
	assert_string_equal(c->exceptions, "/x");
	assert_null(c->ignore);
	assert_string_equal(c->park, "/p");
	assert_int_equal(c->park_max, 9);
	assert_true(c->park_size == 2 << 20);
	assert_int_equal(c->maintain, 0);
	assert_int_equal(c->maintain_ms, 3000);
	assert_int_equal(c->maintain_packs, 10);
	assert_int_equal(c->care_ms, 2 * 3600000);
	assert_int_equal(c->unused_ms, 90 * 86400000LL);
	assert_true(c->mirrors_size == 0);

	assert_int_equal(c->nr_repos, 3);
	assert_string_equal(c->repos[0].upstream->name, "forge");
	assert_int_equal(c->repos[0].fresh, FRESH_BOUND);
	assert_int_equal(c->repos[0].fresh_ms, 90000);
	assert_null(c->repos[1].upstream);
	assert_string_equal(c->repos[1].hosted, "/srv/git");
	assert_int_equal(c->repos[2].fresh, FRESH_OFFLINE);
	assert_int_equal(c->repos[2].line, 32);
	assert_null(c->repos[0].push_options);
	assert_string_equal(c->repos[2].push_options, "ci.skip  topic=*");

	assert_string_equal(c->upstreams[0].url, "ssh://git@forge.example:22/");
	assert_string_equal(c->upstreams[0].suffix, ".git");
	assert_int_equal(c->upstreams[0].ignore_case, 1);
	assert_int_equal(c->upstreams[0].persist_ms, 0);
	assert_int_equal(c->upstreams[0].atomic_prefer, 1);
	assert_int_equal(c->upstreams[0].follow_redirects, 0);
	assert_int_equal(c->upstreams[1].persist_ms, 600000);
	assert_int_equal(c->upstreams[1].atomic_prefer, 0);
	assert_int_equal(c->upstreams[1].follow_redirects, 1);
	assert_true(config_scheme_is(&c->upstreams[0], "ssh"));
	assert_false(config_scheme_is(&c->upstreams[0], "https"));
	assert_string_equal(c->upstreams[1].suffix, "");
	assert_string_equal(c->upstreams[1].url, "https://[::1]:8443/x/");

	assert_int_equal(c->nr_rules_access, 4);
	assert_int_equal(c->rules_access[1].allow, 0);
	assert_int_equal(c->rules_access[1].ops, OP_PUSH | OP_REWIND);
	assert_string_equal(c->rules_access[1].who, "ada");
	assert_string_equal(c->rules_access[1].repo, "lab/x");
	assert_string_equal(c->rules_access[1].ref, "refs/heads/*");
	assert_string_equal(c->rules_access[0].ref, "*");
	assert_int_equal(c->rules_access[2].ops, OP_WRITE);
	assert_int_equal(c->rules_access[3].ops, OP_ALL);
	config_free(c);
}

static void repos(void **state)
{
	struct config *c = load(
		"[upstream \"u\"]\nurl=git://h\nignoreCase\n"
		"[repo \"a/first\"]\nhosted=/x\n"
		"[repo \"A/*\"]\nupstream=u\n[repo \"*\"]\nhosted=/y\n"
		"[access]\nallow=* * *\n");
	char upper[] = "A/B", other[] = "B/C", first[] = "A/First";

	(void)state;
	assert_non_null(c);
	assert_int_equal(config_repo(c, upper)->line, 6);
	assert_string_equal(upper, "a/b");
	assert_int_equal(config_repo(c, other)->line, 8);
	assert_string_equal(other, "B/C");
	/* The name that comes out is looked up again to the same [repo]. */
	assert_int_equal(config_repo(c, first)->line, 4);
	assert_string_equal(first, "a/first");
	assert_ptr_equal(config_find(c, first), config_repo(c, first));
	config_free(c);
}

/* Text of one upstream, of which each line may be an error. */
#define GOOD "[repo \"*\"]\nhosted = /srv\n[access]\nallow = * * *\n"
#define UP(s) GOOD "[upstream \"u\"]\n" s
#define SSH(s) UP("url = ssh://h/\nknownHosts = /k\nidentityFile = /i\n" s)

static const struct {
	const char *text;
	const char *errors; /* "LINE" or "LINE LINE ...", in order */
	const char *says;   /* in the messages, or NULL */
} bad[] = {
	{ "", "1", "no [repo]" },
	{ GOOD "[nope]\nx = 1\ny = 2\n[also]\n", "5 8", "unknown section" },
	{ GOOD "[gate \"x\"]\nstate = bad\n", "5", "no name" },
	{ GOOD "[repo]\nnope = 1\n", "5", "has no name" },
	{ GOOD "[repo \"\"]\n", "5", "has no name" },
	{ GOOD "[gate]\nnope = 1\nstat = /x\n", "6 7",
	  "known are state, mirrors" },
	{ GOOD "[gate]\nurl = /x\n", "6", "unknown key url" },
	{ GOOD "[gate]\nstate = /a\n[gate]\nstate = /b\n", "8", "line 6" },
	{ GOOD "[repo \"*\"]\nhosted = /a\n", "5", "already in line 1" },
	{ GOOD "[upstream \"u\"]\nurl = git://h/\n[upstream \"u\"]\n"
	       "url = git://h/\n", "7", "already in line 5" },
	{ GOOD "[gate]\nstate = a\nmirrors = ~/b\nspool\ngit =\n", "6 7 8 9",
	  "absolute" },
	{ GOOD "[gate]\nworkers = 1\n", "6", "from 2" },
	{ GOOD "[gate]\nworkers = 4097\n", "6", NULL },
	{ GOOD "[gate]\nworkers = 4k\n", "6", NULL },
	{ GOOD "[gate]\nworkers = -1\n", "6", NULL },
	{ GOOD "[gate]\nworkers = 99999999999999999999999\n", "6", NULL },
	{ GOOD "[gate]\nstate = \"/a\\nb\"\n", "6", "control character" },
	{ GOOD "[session]\nreadTimeout = 15\n", "6", "unit" },
	{ GOOD "[session]\nreadTimeout = 0s\n", "6", NULL },
	{ GOOD "[session]\nreadTimeout = 1.5s\n", "6", NULL },
	{ GOOD "[session]\nreadTimeout = 1 s\n", "6", NULL },
	{ GOOD "[session]\nreadTimeout = s\n", "6", NULL },
	{ GOOD "[session]\nreadTimeout = 25d\n", "6", NULL },
	{ GOOD "[session]\nreadTimeout = 213503982335d\n", "6", NULL },
	{ GOOD "[session]\nmaxBody = 8s\n", "6", "not a size" },
	{ GOOD "[session]\nmaxBody = 17179869184g\n", "6", NULL },
	{ GOOD "[session]\nmaxBody = 0\n", "6", NULL },
	{ GOOD "[session]\nmaxRequest = 0\n", "6", "too small" },

	{ GOOD "[push]\npark = parked\nparkMax = 0\nparkSize = 0\n",
	  "6 7 8", "absolute" },
	{ GOOD "[maintenance]\nauto = perhaps\ndelay = 0s\npacks = 1\n",
	  "6 7 8", "from 2" },
	{ GOOD "[maintenance]\nremoveUnused = 366d\nmaxSize = big\n", "6 7",
	  "the most is 365d" },

	{ UP(""), "5", "has no url" },
	{ UP("url = foo://h/\n"), "6", "unknown scheme" },
	{ UP("url = ext::sh\n"), "6", "unknown scheme" },
	{ UP("url = SSH://h/\n"), "6", "unknown scheme" },
	{ UP("url = git@h:x\n"), "6", "ssh://HOST/PATH" },
	{ UP("url = /srv/git\n"), "6", "file://" },
	{ UP("url = file://srv/git\n"), "6", "absolute" },
	{ UP("url = https://u:geheim@h/\n"), "6", "password" },
	{ UP("url = ssh://u:geheim@h/\n"), "6", "password" },
	{ UP("url = https://u@h/\n"), "6", "only ssh://" },
	{ UP("url = git://u@h/\n"), "6", "only ssh://" },
	{ UP("url = ssh://-oProxyCommand=x/\n"), "6", "no host" },
	{ UP("url = ssh://-l@h/\n"), "6", "user's name" },
	{ UP("url = ssh://@h/\n"), "6", "user's name" },
	{ UP("url = https:///x\n"), "6", "no host" },
	{ UP("url = https://h:0/\n"), "6", "port" },
	{ UP("url = https://h:65536/\n"), "6", "port" },
	{ UP("url = https://h:/\n"), "6", "port" },
	{ UP("url = https://h:8x/\n"), "6", "port" },
	{ UP("url = https://h/?a=\n"), "6", "plain prefix" },
	{ UP("url = file:///srv/a b\n"), "6", "plain prefix" },
	{ UP("url = \"https://h/#a\"\n"), "6", "plain prefix" },
	{ UP("url = ssh://h/\n"), "5 5", "knownHosts" },
	{ UP("url = ssh://h/\nknownHosts = /k\n"), "5", "identityFile" },
	{ UP("url = ssh://h/\nidentityFile = /k\n"), "5", "knownHosts" },
	{ SSH("tokenFile = /t\n"), "9", "no meaning" },
	{ SSH("suffix = a b\n"), "9", NULL },
	{ SSH("ignoreCase = maybe\n"), "9", "true or false" },
	{ SSH("atomic = no\n"), "9", "require or prefer" },
	{ SSH("controlPersist = 25d\nfollowRedirects = yes\n"), "9 10",
	  "no meaning" },
	{ UP("url = git://h/\nidentityFile = /i\nproxy = http://p\n"), "7 8",
	  "no meaning" },
	{ UP("url = https://h/\ntokenFile = /a\ntokenCommand = /b\n"), "8",
	  "keep one" },
	{ UP("url = https://h/\ntokenCommand = get me\n"), "7", "absolute" },
	{ UP("url = http://h/\ntokenFile = /a\n"), "7", "clear text" },
	{ UP("url = http://127.example.org/\ntokenFile = /a\n"), "7",
	  "clear text" },
	{ UP("url = http://localhost.example/\ntokenFile = /a\n"), "7",
	  "clear text" },
	{ UP("url = https://h/\nclientCert = /a\n"), "7", "clientKey" },
	{ UP("url = https://h/\nclientKey = /a\n"), "7", "clientCert" },
	{ UP("url = https://h/\nusername = a\n"), "7", "tokenFile" },
	{ UP("url = https://h/\nusername = a:geheim\ntokenFile = /a\n"), "7",
	  "':'" },
	{ UP("url = https://h/\nproxy = http://u:geheim@p/\n"), "7", "'@'" },
	{ UP("url = https://h/\nproxy = ftp://p/\n"), "7", "not a proxy" },

	{ "[repo \"a\"]\n" GOOD, "1", "neither" },
	{ GOOD "[repo \"a\"]\nhosted = /a\nupstream = u\n", "5 7", "both" },
	{ GOOD "[repo \"a\"]\nupstream = u\n", "6", "there is no [upstream" },
	{ GOOD "[repo \"a\"]\nhosted = /a\nfresh = strict\n", "7", "hosted" },
	{ GOOD "[repo \"a\"]\nhosted = /a\nfresh = soon\n", "7 7", NULL },

	{ GOOD "[repo \"a\"]\nhosted = /a\npushOptions =\n", "7", "empty" },
	{ GOOD "[repo \"a\"]\nhosted = /a\npushOptions = \" \"\n", "7",
	  "write patterns" },
	{ GOOD "[repo \"a\"]\nhosted = /a\npushOptions\n", "7", "no value" },
	{ GOOD "[repo \"a\"]\nhosted = /a\npushOptions = a\n"
	       "pushOptions = b\n", "8", "already in line 7" },

	{ GOOD "allow = fetch *\n", "5", "too few" },
	{ GOOD "allow = fetch * * * *\n", "5", "too many" },
	{ GOOD "allow = \"\"\n", "5", "empty" },
	{ GOOD "allow\n", "5", "no value" },
	{ GOOD "allow = read * *\n", "5", "unknown operation 'read'" },
	{ GOOD "allow = fetch,,push * *\n", "5", "unknown operation" },
	{ GOOD "allow = fetch, * *\n", "5", "unknown operation" },
	{ GOOD "allow = Fetch * *\n", "5", "unknown operation" },
	{ GOOD "deny = fetch * * refs/heads/x\n", "5", "fetch alone" },
	{ GOOD "allow = push * * main\n", "5", "refs/heads/main" },
	{ GOOD "allow = push * * */main\n", "5", "refs/" },
	{ GOOD "permit = push * *\n", "5", "known are allow, deny" },
	/* what may be meant by a key that is none */
	{ SSH("ControlPersit = 1h\n"), "9",
	  "unknown key ControlPersit in [upstream]; did you mean "
	  "controlPersist?" },
	{ SSH("control = 1h\n"), "9", "did you mean controlPersist?" },
	{ GOOD "[gate]\nPark = /p\n", "6",
	  "unknown key Park in [gate]; park belongs in [push]" },
	{ GOOD "[session]\nurl = /p\n", "6", "url belongs in [upstream]" },
	{ UP("url = https://h/\nusername = a\ntokenFle = /a\n"), "8",
	  "did you mean tokenFile?" },
	{ UP("ulr = https://h/\n"), "6", "did you mean url?" },
	{ GOOD "[repo \"a\"]\nhostd = /a\n", "6", "did you mean hosted?" },
	/* what is wrong with a number */
	{ SSH("controlPersist = 2d\n"), "9", "too long; the most is 1d" },
	{ GOOD "[backend]\ncpu = 10ms\n", "6", "too short; the least is "
	  "1000ms" },
	{ GOOD "[maintenance]\nmaxSize = 10GB\n", "6",
	  "write a number of bytes, or one with k, m or g" },
	{ GOOD "[maintenance]\nmaxSize = 99999999999g\n", "6", "too large" },
	/* everything at once, in the file's order */
	{ "k = 1\n[gate]\nworkers = x\n[repo \"a\"]\n[gate\n[access]\n"
	  "allow = z\n", "1 3 5 4 7", NULL },
};

/* The numbers of the lines that have errors. */
static void error_lines(struct buf *out)
{
	buf_adds(out, "");
	for (char *p = logged.data; *p; p = strchr(p, '\n') + 1) {
		char *colon = strchr(p, ':');
		if (!strncmp(p, "/tmp/config-", 12) && colon)
			buf_addf(out, "%s%d", out->len ? " " : "",
				 atoi(colon + 1));
	}
}

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf lines = BUF_INIT;
		struct config *c = load(bad[i].text);
		error_lines(&lines);
		if (c || strcmp(lines.data, bad[i].errors) != 0 ||
		    (bad[i].says && !strstr(logged.data, bad[i].says)))
			fail_msg("%s\nerrors in %s, not %s, with %s:\n%s",
				 bad[i].text, lines.data, bad[i].errors,
				 bad[i].says, logged.data);
		/* No password in any message. */
		assert_null(strstr(logged.data, "geheim"));
		buf_clear(&lines);
	}
}

static const char *const fine[] = {
	GOOD,
	UP("url = http://127.0.0.1:8080/\ntokenFile = /a\n"),
	UP("url = http://localhost/\ntokenFile = /a\n"),
	UP("url = http://[::1]:1/\ntokenCommand = /a\n"),
	UP("url = http://h/\n"),
	UP("url = file:///srv/git\n"),
	UP("url = ssh://h:65535/~x/\nknownHosts=/k\nagentSocket=/a\n"),
	UP("url = https://h/\nclientCert = /a\nclientKey = /b\n"
	   "proxy = socks5h://127.0.0.1:9050\ncaFile = /c\n"),
};

static void takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
		struct config *c = load(fine[i]);
		if (!c)
			fail_msg("%s\n%s", fine[i], logged.data);
		config_free(c);
	}
}

/* The longest paths for sockets, and one byte more. */
static void socket_paths(void **state)
{
	char text[600], path[200];

	(void)state;
	for (int n = 105; n < 110; n++) {
		memset(path, 'a', sizeof(path));
		path[0] = '/';
		path[n] = '\0';
		snprintf(text, sizeof(text), UP("url = ssh://h\nknownHosts = "
			 "/k\nagentSocket = %s\n"), path);
		struct config *c = load(text);
		assert_int_equal(c != NULL, n <= 107);
		config_free(c);
		path[n - 8] = '\0'; /* "/control" follows */
		snprintf(text, sizeof(text), GOOD "[gate]\nstate = %s\n",
			 path);
		c = load(text);
		assert_int_equal(c != NULL, n <= 107);
		config_free(c);
	}
}

static void hosts(void **state)
{
	static const struct {
		const char *url;
		int at;
	} urls[] = {
		{ "https://forge.example/", 1 },
		{ "ssh://git@FORGE.example:22/x/", 1 },
		{ "ssh://git@ssh.forge.example/", 1 },
		{ "https://theforge.example/", 0 },
		{ "https://forge.example.org/", 0 },
		{ "https://example/forge.example/", 0 },
		{ "file:///forge.example/", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		assert_int_equal(config_url_is_at(urls[i].url,
						  "forge.example"),
				 urls[i].at);
}

static void small_defaults(void **state)
{
	struct config *c = load(GOOD);

	(void)state;
	assert_true(c->max_request == 32 << 20);
	assert_true(c->max_body == (uint64_t)8 << 30);
	config_free(c);
}

static void no_rule_is_a_warning(void **state)
{
	struct config *c = load("[repo \"*\"]\nhosted = /srv\n");

	(void)state;
	assert_non_null(c);
	assert_non_null(strstr(logged.data, "warning"));
	config_free(c);
}

static void foreign_files(void **state)
{
	char dir[] = "/tmp/config-XXXXXX", path[64];
	const struct {
		mode_t mode;
		int good;
	} modes[] = { { 0644, 1 }, { 0600, 1 }, { 0664, 0 }, { 0646, 0 } };
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_null(config_load(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_null(config_load(path));
	/* Would wait for ever for a writer. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(config_load(path));
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(GOOD, f);
	fclose(f);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		chmod(path, modes[i].mode);
		struct config *c = config_load(path);
		assert_int_equal(c != NULL, modes[i].good);
		config_free(c);
	}
	if (geteuid() == 0) {
		chmod(path, 0600);
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_null(config_load(path));
	}
	unlink(path);
	rmdir(dir);
}

/* Who can write the directory can replace the file. */
static void foreign_directories(void **state)
{
	char dir[] = "/tmp/config-XXXXXX", closed[] = "/tmp/config-XXXXXX";
	char path[64], other[64];
	const struct {
		mode_t mode;
		int good;
	} modes[] = { { 0700, 1 }, { 0755, 1 }, { 0770, 0 }, { 0707, 0 },
		      { 01777, 1 } };
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(mkdtemp(closed));
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(other, sizeof(other), "%s/f", closed);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(GOOD, f);
	fclose(f);
	assert_int_equal(symlink(path, other), 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		struct config *direct, *linked;

		assert_int_equal(chmod(dir, modes[i].mode), 0);
		buf_reset(&logged);
		buf_adds(&logged, "");
		direct = config_load(path);
		linked = config_load(other);
		assert_int_equal(direct != NULL, modes[i].good);
		assert_int_equal(linked != NULL, modes[i].good);
		assert_int_equal(!strstr(logged.data, "chmod go-w"),
				 modes[i].good);
		config_free(direct);
		config_free(linked);
	}
	unlink(path);
	unlink(other);
	rmdir(dir);
	rmdir(closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores),
		cmocka_unit_test(repos),
		cmocka_unit_test(refuses),
		cmocka_unit_test(takes),
		cmocka_unit_test(socket_paths),
		cmocka_unit_test(no_rule_is_a_warning),
		cmocka_unit_test(foreign_files),
		cmocka_unit_test(foreign_directories),
		cmocka_unit_test(hosts),
		cmocka_unit_test(small_defaults),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	log_init("config", LOG_PLAIN);
	log_set_tee(tee, NULL, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_clear(&logged);
	return failed;
}
