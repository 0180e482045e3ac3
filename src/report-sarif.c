/*
 * Findings as SARIF 2.1.0, the OASIS standard that code hosts and editors
 * read. Takes findings, which hold no secret, and the rules they came from.
 */
#include "report.h"
#include "report-internal.h"

#include <string.h>

#include "findings.h"
#include "rules.h"

static const char schema[] = "https://json.schemastore.org/sarif-2.1.0.json";

static void member(FILE *to, const char *key, const char *s)
{
	fprintf(to, "\"%s\": ", key);
	report_string(to, s);
}

/* A relative URI reference, RFC 3986: the path with what is odd encoded. */
static void put_uri(FILE *to, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/!$&'()*+,;=@";
	const unsigned char *p;

	fputc('"', to);
	for (p = (const unsigned char *)path; *p; p++)
		if (strchr(plain, *p))
			fputc(*p, to);
		else
			fprintf(to, "%%%02X", *p);
	fputc('"', to);
}

static void put_rule(FILE *to, const struct rules_info *info)
{
	size_t i;

	fputs("     {", to);
	member(to, "id", info->id);
	fputs(", \"shortDescription\": {", to);
	member(to, "text", *info->description ? info->description : info->id);
	fputs("}, \"defaultConfiguration\": {\"level\": \"error\"}", to);
	if (info->nr_tags) {
		fputs(", \"properties\": {\"tags\": [", to);
		for (i = 0; i < info->nr_tags; i++) {
			fputs(i ? ", " : "", to);
			report_string(to, info->tags[i]);
		}
		fputs("]}", to);
	}
	fputc('}', to);
}

static void put_tool(FILE *to, const struct rules *r, const char *version)
{
	size_t i, nr = rules_count(r);
	struct rules_info info;

	fputs("   \"tool\": {\"driver\": {\n    \"name\": \"git-gate\",\n"
	      "    ", to);
	member(to, "semanticVersion", version);
	fputs(",\n    \"rules\": [\n", to);
	for (i = 0; i < nr; i++) {
		rules_info(r, i, &info);
		put_rule(to, &info);
		fputs(i + 1 < nr ? ",\n" : "\n", to);
	}
	fputs("    ]\n   }},\n", to);
}

/* columns of SARIF end behind the last character */
static void put_region(FILE *to, const struct finding *f)
{
	fprintf(to, "\"region\": {\"startLine\": %u, \"startColumn\": %u, "
		"\"endLine\": %u, \"endColumn\": %u, \"snippet\": {",
		f->line, f->column, f->end_line, f->end_column + 1);
	member(to, "text", f->redacted);
	fputs("}}", to);
}

static void put_location(FILE *to, const struct finding *f)
{
	fputs("\"locations\": [{\"physicalLocation\": {"
	      "\"artifactLocation\": {\"uri\": ", to);
	put_uri(to, f->path);
	fputs(*f->path == '/' ? "}, " :
				", \"uriBaseId\": \"%SRCROOT%\"}, ", to);
	put_region(to, f);
	fputs("}}]", to);
}

static void put_result(FILE *to, const struct finding *f,
		       const struct rules *r)
{
	ptrdiff_t rule = rules_place(r, f->rule);

	fputs("    {", to);
	member(to, "ruleId", f->rule);
	if (rule >= 0)
		fprintf(to, ", \"ruleIndex\": %td", rule);
	fputs(", \"level\": \"error\",\n     \"message\": {", to);
	member(to, "text", *f->description ? f->description : f->rule);
	fputs("},\n     ", to);
	put_location(to, f);
	/* the name says which version of the method made it */
	fputs(",\n     \"partialFingerprints\": {", to);
	member(to, "gitGateFingerprint/v1", f->fingerprint);
	fputs("},\n     \"properties\": {", to);
	member(to, "commit", f->commit);
	fputs(", ", to);
	member(to, "author", f->author);
	fputs(", ", to);
	member(to, "date", f->date);
	fputs(", ", to);
	member(to, "commitMessage", f->message);
	fputs(", ", to);
	member(to, "encodings", f->encodings);
	fprintf(to, ", \"entropy\": %.6f}}", f->entropy);
}

/* Whether all was scanned, which no list of findings can tell. */
static void put_invocation(FILE *to, const struct findings *fs)
{
	fprintf(to, "   \"invocations\": [{\"executionSuccessful\": %s",
		fs->unknown ? "false" : "true");
	if (fs->unknown) {
		fputs(",\n    \"toolExecutionNotifications\": [{\"level\": "
		      "\"error\", \"message\": {", to);
		member(to, "text", fs->unknown);
		fputs("}}]", to);
	}
	fputs("}],\n", to);
}

void report_sarif(FILE *to, const struct findings *fs, const struct rules *r,
		  const char *version)
{
	size_t i;

	fprintf(to, "{\n \"$schema\": \"%s\",\n \"version\": \"2.1.0\",\n"
		" \"runs\": [{\n", schema);
	put_tool(to, r, version);
	put_invocation(to, fs);
	fputs("   \"results\": [\n", to);
	for (i = 0; i < fs->nr; i++) {
		put_result(to, &fs->list[i], r);
		fputs(i + 1 < fs->nr ? ",\n" : "\n", to);
	}
	fputs("   ]\n }]\n}\n", to);
}
