/*
 * One regex of the rules, compiled so that PCRE2 means what Go's RE2 means.
 * Takes a pattern, gives code; matching is scan's.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "mem.h"
#include "rules-internal.h"
#include "rules.h"

void *rules_compile(const struct rules_pattern *p, uint32_t flags, char *why,
		    size_t size)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	PCRE2_SIZE at = 0;
	int error = PCRE2_ERROR_NOMEMORY;
	PCRE2_UCHAR message[160] = "";

	if (context) {
		pcre2_set_newline(context, PCRE2_NEWLINE_LF);
		/* '$' is the text's end alone; bytes, never characters */
		code = pcre2_compile((PCRE2_SPTR)p->text, PCRE2_ZERO_TERMINATED,
				     flags | PCRE2_DOLLAR_ENDONLY |
				     PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
				     PCRE2_NEVER_BACKSLASH_C |
				     PCRE2_USE_OFFSET_LIMIT,
				     &error, &at, context);
	}
	pcre2_compile_context_free(context);
	if (!code) {
		pcre2_get_error_message(error, message, sizeof(message));
		snprintf(why, size, "%s at byte %zu", (char *)message, at);
	}
	return code;
}

int rules_compile_all(const struct rules *r)
{
	int result = 0;

	for (size_t i = 0; i < r->nr_patterns; i++) {
		const struct rules_pattern *p = r->patterns[i];
		char why[200];
		pcre2_code *code = rules_compile(p, 0, why, sizeof(why));

		if (!code) {
			log_error("%s:%d: %s: regex does not compile: %s",
				  p->file, p->line, p->owner, why);
			result = -1;
		}
		pcre2_code_free(code);
	}
	if (!result)
		rules_warn_traps(r);
	return result;
}
