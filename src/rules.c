/*
 * Rules for secrets: the built-in ones, or from a file, with what
 * it extends. Takes a file's name, gives a set that is whole and const, or
 * nothing and every error logged.
 */
#include "rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "mem.h"
#include "rules-internal.h"
#include "toml.h"
#include "trust.h"

/* gitleaks follows [extend] twice. */
#define MAX_EXTEND 2

void rules_words_add(struct rules_words *w, const char *word, size_t len)
{
	MEM_GROW(w->list, w->nr, w->alloc);
	w->list[w->nr++] = mem_strndup(word, len);
}

void rules_words_clear(struct rules_words *w)
{
	for (size_t i = 0; i < w->nr; i++)
		free(w->list[i]);
	free(w->list);
	*w = (struct rules_words){ 0 };
}

void rules_rule_clear(struct rules_rule *rule)
{
	free(rule->id);
	free(rule->description);
	rules_words_clear(&rule->keywords);
	rules_words_clear(&rule->wakes);
	rules_words_clear(&rule->tags);
	for (size_t i = 0; i < rule->nr_required; i++)
		free(rule->required[i].id);
	free(rule->required);
	free(rule->allows);
	*rule = (struct rules_rule){ 0 };
}

static void free_allow(struct rules_allow *a)
{
	free(a->paths);
	free(a->regexes);
	rules_words_clear(&a->stopwords);
	rules_words_clear(&a->commits);
	rules_words_clear(&a->rules);
	free(a);
}

void rules_free(struct rules *r)
{
	if (!r || r->builtin)
		return;
	for (size_t i = 0; i < r->nr; i++)
		rules_rule_clear(&r->list[i]);
	for (size_t i = 0; i < r->nr_patterns; i++) {
		free(r->patterns[i]->text);
		free(r->patterns[i]->owner);
		free(r->patterns[i]);
	}
	for (size_t i = 0; i < r->nr_allows; i++)
		free_allow(r->allows[i]);
	free(r->list);
	free(r->patterns);
	free(r->allows);
	rules_index_free((struct rules_index *)r->index);
	rules_words_clear(&r->files);
	free(r);
}

size_t rules_count(const struct rules *r)
{
	return r->nr;
}

struct rules_rule *rules_find(const struct rules *r, const char *id)
{
	for (size_t i = 0; i < r->nr; i++)
		if (r->list[i].id && !strcmp(r->list[i].id, id))
			return &r->list[i];
	return NULL;
}

static struct rules *load(const char *file, int depth, int decides);

/* path as [extend] in file means it: beside that file unless absolute. */
static char *beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	struct buf b = BUF_INIT;

	if (*path != '/' && slash)
		buf_add(&b, file, (size_t)(slash + 1 - file));
	buf_adds(&b, path);
	return buf_take(&b);
}

/*
 * A file written for gitleaks means gitleaks' rules by useDefault, and names
 * them: what to say of an id that is not there.
 */
static const char *other_ids(const struct rules *r)
{
	return !r->on_builtin ? "" :
	       "; useDefault brings git-gate's own rules, which have other "
	       "ids than gitleaks' (`git-gate rules' shows them); for "
	       "gitleaks' rules, extend a copy of gitleaks' own file: path = "
	       "\"FILE\" in place of useDefault";
}

/* Read what [extend] names and put it below r. */
static int extend_from(struct rules *r, const char *file,
		       const struct rules_extend *e, int depth, int decides)
{
	struct rules *base;
	char *path = NULL;

	if (!e->use_default && !e->path)
		return 0;
	if (e->path)
		path = beside(file, e->path);
	if (path && !strcmp(path, file)) {
		log_error("%s:%d: extends itself; name another file", file,
			  e->line);
		free(path);
		return -1;
	}
	if (depth >= MAX_EXTEND) {
		free(path);
		log_error("%s:%d: extends a third level; two are followed",
			  file, e->line);
		return -1;
	}
	base = path ? load(path, depth + 1, decides) :
		      rules_copy(&rules_prepared);
	if (!path)
		base->on_builtin = 1;
	free(path);
	if (!base) {
		log_error("%s:%d: what it extends could not be read", file,
			  e->line);
		return -1;
	}
	for (size_t i = 0; i < e->disabled.nr; i++)
		if (!rules_find(base, e->disabled.list[i]))
			log_warn("%s:%d: disabledRules: there is no rule "
				 "'%s'%s", file, e->line,
				 e->disabled.list[i], other_ids(base));
	r->on_builtin = base->on_builtin;
	rules_merge(r, base, e);
	rules_free(base);
	return 0;
}

/* [[allowlists]] with targetRules become the rules' own. */
static int resolve_targets(struct rules *r, size_t from)
{
	int result = 0;

	for (size_t i = from; i < r->nr_allows; i++) {
		struct rules_allow *a = r->allows[i];

		for (size_t k = 0; k < a->rules.nr; k++) {
			struct rules_rule *rule =
				rules_find(r, a->rules.list[k]);
			size_t have = 0;

			if (!*a->rules.list[k])
				continue; /* its rule is disabled */
			if (!rule) {
				log_error("%s:%d: allow-list: there is no "
					  "rule '%s'%s", a->file, a->line,
					  a->rules.list[k], other_ids(r));
				result = -1;
				continue;
			}
			while (have < rule->nr_allows &&
			       rule->allows[have] != a)
				have++;
			if (have < rule->nr_allows)
				continue; /* it stands inside the rule */
			MEM_GROW(rule->allows, rule->nr_allows,
				 rule->alloc_allows);
			rule->allows[rule->nr_allows++] = a;
		}
	}
	return result;
}

/* Who can write the rules that a gate decides by, decides what passes. */
static int read_text(const char *file, int decides, struct buf *text)
{
	int ret = decides ? trust_read(file, "rules", TOML_MAX_BYTES, text) :
			    buf_read_file(text, file, TOML_MAX_BYTES);

	if (ret > 0)
		errno = ENOENT;
	if (ret > 0 || (ret && !decides))
		log_error("%s: rules cannot be read: %s", file,
			  strerror(errno));
	return ret ? -1 : 0;
}

/* No line of TOML begins so. */
static int is_json(const char *file, const struct buf *text)
{
	size_t i = 0;

	while (i < text->len && strchr(" \t\r\n", text->data[i]))
		i++;
	if (i == text->len || text->data[i] != '{')
		return 0;
	log_error("%s:1: this is JSON; rules are TOML, see git-gate-rules(5)",
		  file);
	return 1;
}

static int read_tree(struct rules *r, const char *file, int decides,
		     struct rules_extend *extend)
{
	struct buf text = BUF_INIT;
	struct toml *root = NULL;
	int result = -1;

	if (!read_text(file, decides, &text) && !is_json(file, &text))
		root = toml_read(r->files.list[0], text.data ? text.data : "",
				 text.len);
	if (root)
		result = rules_read(r, r->files.list[0], root, extend);
	toml_free(root);
	buf_clear(&text);
	return result;
}

static struct rules *load(const char *file, int depth, int decides)
{
	struct rules *r = mem_zalloc(sizeof(*r));
	struct rules_extend extend = { 0 };
	int result;

	rules_words_add(&r->files, file, strlen(file));
	result = read_tree(r, file, decides, &extend);
	if (!result)
		result = extend_from(r, file, &extend, depth, decides);
	if (!result)
		result = resolve_targets(r, 0);
	free(extend.path);
	rules_words_clear(&extend.disabled);
	if (!result)
		return r;
	rules_free(r);
	return NULL;
}

/* What can be said of a rule only when all of them are there. */
static int check_rule(struct rules *r, struct rules_rule *rule)
{
	int result = 0;

	if (!rule->regex && !rule->path) {
		log_error("%s:%d: rule '%s': has neither regex nor path%s%s",
			  rule->file, rule->line, rule->id,
			  ", and extends no rule that has", other_ids(r));
		result = -1;
	}
	for (size_t i = 0; i < rule->nr_required; i++) {
		struct rules_required *q = &rule->required[i];
		const struct rules_rule *other = rules_find(r, q->id);

		if (other) {
			q->rule = (size_t)(other - r->list);
			continue;
		}
		log_error("%s:%d: rule '%s': required: there is no rule '%s'",
			  rule->file, q->line, rule->id, q->id);
		result = -1;
	}
	if (!rule->known)
		rules_wake(rule);
	if (rule->regex && (uint64_t)rule->group > rule->shape.groups) {
		log_error("%s:%d: rule '%s': secretGroup is %lld, the regex "
			  "has %zu groups", rule->file, rule->line, rule->id,
			  (long long)rule->group, rule->shape.groups);
		result = -1;
	}
	return result;
}

static struct rules *finish(struct rules *r)
{
	int result = 0;

	if (!r)
		return NULL;
	if (!r->nr) {
		log_error("%s: has no rules and would find nothing; add rules, "
			  "or [extend] with useDefault = true for the built-in "
			  "ones", r->files.list[0]);
		result = -1;
	}
	for (size_t i = 0; i < r->nr; i++)
		if (check_rule(r, &r->list[i]))
			result = -1;
	for (size_t i = 0; i < r->nr_patterns; i++)
		r->patterns[i]->number = i;
	for (size_t i = 0; i < r->nr_allows; i++)
		r->allows[i]->number = i;
	if (!result) {
		r->index = rules_index_new(r);
		return r;
	}
	rules_free(r);
	return NULL;
}

struct rules *rules_builtin(void)
{
	/* const all the same: what is built in is never changed or freed */
	return (struct rules *)&rules_prepared;
}

struct rules *rules_load(const char *file)
{
	return finish(load(file, 0, 0));
}

struct rules *rules_load_trusted(const char *file)
{
	return finish(load(file, 0, 1));
}
