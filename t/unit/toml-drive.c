/*
 * What toml.c makes of files, as the tagged JSON of the public toml-test
 * suite, for bench/toml: a line each, "FILE TAB JSON", or "FILE TAB" alone for
 * what was refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "toml.h"

#define FILE_MAX_BYTES (1u << 20)

static void print_text(const char *s, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* Which of the four kinds of date a date is, by what stands in it. */
static const char *date_type(const char *s)
{
	const char *time = strpbrk(s, "Tt ");

	if (strlen(s) > 2 && s[2] == ':')
		return "time-local";
	if (!time)
		return "date-local";
	return strpbrk(time, "Zz+-") ? "datetime" : "datetime-local";
}

static void print_scalar(const struct toml *v)
{
	static const char *const names[] = {
		[TOML_STRING] = "string", [TOML_INTEGER] = "integer",
		[TOML_FLOAT] = "float", [TOML_BOOLEAN] = "bool",
	};

	printf("{\"type\":\"%s\",\"value\":",
	       v->type == TOML_DATE ? date_type(v->text) : names[v->type]);
	if (v->type == TOML_INTEGER)
		printf("\"%lld\"", (long long)v->integer);
	else if (v->type == TOML_FLOAT)
		printf("\"%.17g\"", v->real);
	else if (v->type == TOML_BOOLEAN)
		printf("\"%s\"", v->integer ? "true" : "false");
	else
		print_text(v->text, v->len);
	putchar('}');
}

static void print(const struct toml *v)
{
	int table = v->type == TOML_TABLE;

	if (!table && v->type != TOML_ARRAY) {
		print_scalar(v);
		return;
	}
	putchar(table ? '{' : '[');
	for (size_t i = 0; i < v->nr; i++) {
		if (i)
			putchar(',');
		if (table) {
			print_text(v->items[i]->key, v->items[i]->key_len);
			putchar(':');
		}
		print(v->items[i]);
	}
	putchar(table ? '}' : ']');
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct buf text = BUF_INIT;
		struct toml *t = NULL;

		if (!buf_read_file(&text, argv[i], FILE_MAX_BYTES))
			t = toml_read(argv[i], text.data ? text.data : "",
				      text.len);
		printf("%s\t", argv[i]);
		if (t)
			print(t);
		putchar('\n');
		toml_free(t);
		buf_clear(&text);
	}
	return 0;
}
