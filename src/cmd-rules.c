/*
 * git gate rules: the rules for secrets, listed, or tested by their examples.
 * Takes the built-in ones, a file of them, or a gate's; changes nothing.
 */
#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "buf.h"
#include "cmd-rules-internal.h"
#include "config.h"
#include "log.h"
#include "rules.h"
#include "text.h"

/* Columns of an id and of keywords on a terminal. */
#define ID_MAX 32
#define WORDS_MAX 16

struct asked {
	const char *config, *rules, *file;
	int test;
};

static int usage(void)
{
	fputs("usage: git-gate rules [-c FILE | --rules FILE]\n"
	      "       git-gate rules test [-c FILE | --rules FILE] "
	      "[EXAMPLES]\n"
	      "list the rules for secrets, or test them by their examples\n"
	      "\n"
	      "  -c, --config FILE  those of a gate\n"
	      "  --rules FILE       those of this file\n"
	      "  EXAMPLES           a file of examples; without it, those of "
	      "the\n"
	      "                     built-in rules\n", stdout);
	return CMD_OK;
}

static void add_words(struct buf *out, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		buf_addf(out, "%s%s", i ? "," : "", list[i]);
}

/* For programs: id, keywords, entropy, tags, file:line, description. */
static void put_row(const struct rules_info *i)
{
	struct buf line = BUF_INIT, clean = BUF_INIT;

	/* tabs and line ends come from the rules too: one field at a time */
	buf_addf(&line, "%s", i->id);
	text_clean(&clean, line.data, line.len);
	buf_reset(&line);
	add_words(&line, i->keywords, i->nr_keywords);
	buf_addc(&clean, '\t');
	text_clean(&clean, line.data, line.len);
	buf_addf(&clean, "\t%g\t", i->entropy);
	buf_reset(&line);
	add_words(&line, i->tags, i->nr_tags);
	text_clean(&clean, line.data, line.len);
	buf_addc(&clean, '\t');
	text_clean(&clean, i->file, strlen(i->file));
	buf_addf(&clean, ":%d\t", i->line);
	text_clean(&clean, i->description, strlen(i->description));
	puts(clean.data);
	buf_clear(&line);
	buf_clear(&clean);
}

/* At most width columns of clean text, cut where it has more. */
static void put_column(const char *s, unsigned width, int pad)
{
	char text[512];
	unsigned at = 0, n = 0;

	text_clean_to(text, sizeof(text), s);
	for (; text[n]; n++) {
		int begins = ((unsigned char)text[n] & 0xc0) != 0x80;
		if (begins && at == width)
			break;
		at += begins;
	}
	printf("%.*s", (int)n, text);
	if (pad)
		printf("%*s", (int)(width - at) + 1, "");
}

static void put_person(const struct rules_info *i, unsigned width)
{
	struct buf words = BUF_INIT;

	if (i->only_path)
		buf_adds(&words, "(file's name)");
	else if (!i->nr_keywords)
		buf_adds(&words, "(none)");
	add_words(&words, i->keywords, i->nr_keywords);
	put_column(i->id, ID_MAX, 1);
	put_column(words.data, WORDS_MAX, 1);
	put_column(i->description, width - ID_MAX - WORDS_MAX - 2, 0);
	putchar('\n');
	buf_clear(&words);
}

static int list(const struct rules *r)
{
	int person = isatty(STDOUT_FILENO);
	struct rules_info info;
	struct winsize w;
	unsigned width = 80;

	if (person && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col > 80)
		width = w.ws_col;
	for (size_t i = 0; i < rules_count(r); i++) {
		rules_info(r, i, &info);
		if (person)
			put_person(&info, width);
		else
			put_row(&info);
	}
	return CMD_OK;
}

static int parse_rest(int argc, char **argv, struct asked *a)
{
	char **rest = argv + optind, **end = argv + argc;

	if (rest < end && !strcmp(*rest, "test")) {
		a->test = 1;
		rest++;
		if (rest < end)
			a->file = *rest++;
	}
	if (a->config && a->rules)
		log_error("rules: -c names the rules: leave out --rules, or "
			  "-c");
	else if (rest < end && a->test)
		log_error("rules test: one file of examples; leave out '%s'",
			  *rest);
	else if (rest < end)
		log_error("rules: '%s' is no part of it: write test, or "
			  "--rules FILE", *rest);
	else if (a->test && !a->file && (a->config || a->rules))
		log_error("rules test: these rules bring no examples: name a "
			  "file of them, see git-gate-rules(5)");
	else
		return 0;
	return -1;
}

/* Returns 0, 1 for help, or -1: what is wrong is logged. */
static int parse(int argc, char **argv, struct asked *a)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "rules", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 1;
	while ((o = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (o == 'c')
			a->config = optarg;
		else if (o == 'r')
			a->rules = optarg;
		else
			return o == 'h' ? 1 : -1;
	}
	return parse_rest(argc, argv, a);
}

int cmd_rules(int argc, char **argv)
{
	struct asked a = { NULL };
	struct config *c = NULL;
	int status = CMD_UNKNOWN, how = parse(argc, argv, &a);
	struct rules *r;

	if (how > 0)
		return usage();
	if (how < 0) {
		fputs("`git-gate help rules' shows what it takes\n", stderr);
		return CMD_USAGE;
	}
	if (a.config) {
		c = config_load(a.config);
		if (!c)
			return CMD_UNKNOWN;
	}
	if (c && c->rules)
		r = rules_load_trusted(c->rules);
	else
		r = a.rules ? rules_load(a.rules) : rules_builtin();
	if (r)
		status = a.test ? cmd_rules_test(r, a.file) : list(r);
	rules_free(r);
	config_free(c);
	return status;
}
