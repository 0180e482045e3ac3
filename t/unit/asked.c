/* Which answers may be kept: requests and answers, good ones and cut ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "asked.h"
#include "route.h"

#define BOTH(s) s, sizeof(s) - 1

static const struct route info = { .kind = ROUTE_ADVERTISE,
				   .service = SERVICE_UPLOAD_PACK };
static const struct route push = { .kind = ROUTE_ADVERTISE,
				   .service = SERVICE_RECEIVE_PACK };
static const struct route fetch = { .kind = ROUTE_RPC,
				    .service = SERVICE_UPLOAD_PACK };
static const struct route pushed = { .kind = ROUTE_RPC,
				     .service = SERVICE_RECEIVE_PACK };

static void advertisements_by_version(void **state)
{
	(void)state;
	assert_int_equal(asked_find(&info, "", "", 0), ASKED_REFS);
	assert_int_equal(asked_find(&info, "version=1", "", 0), ASKED_REFS);
	assert_int_equal(asked_find(&info, "version=22", "", 0), ASKED_REFS);
	assert_int_equal(asked_find(&info, "version=2", "", 0),
			 ASKED_CAPABILITIES);
	assert_int_equal(asked_find(&info, "a:version=2:b", "", 0),
			 ASKED_CAPABILITIES);
	assert_int_equal(asked_find(&push, "version=2", "", 0),
			 ASKED_PUSH_REFS);
}

static const char ls_refs[] = "0014command=ls-refs\n0010agent=git/2 0001"
			      "0009peel\n000csymrefs\n0000";

static void ls_refs_alone(void **state)
{
	size_t n = sizeof(ls_refs) - 1, i;

	(void)state;
	assert_int_equal(asked_find(&fetch, "version=2", ls_refs, n),
			 ASKED_REFS);
	assert_int_equal(asked_find(&fetch, "version=2",
				    BOTH("0013command=ls-refs0000")),
			 ASKED_REFS);
	/* in another version it means another thing */
	assert_int_equal(asked_find(&fetch, "", ls_refs, n), ASKED_OTHER);
	assert_int_equal(asked_find(&pushed, "version=2", ls_refs, n),
			 ASKED_OTHER);
	for (i = 0; i < n; i++)
		assert_int_equal(asked_find(&fetch, "version=2", ls_refs, i),
				 ASKED_OTHER);
}

static void other_bodies(void **state)
{
	static const char *const bodies[] = {
		"", "0000", "0012command=fetch\n0000",
		/* something behind it, and a second command in it */
		"0014command=ls-refs\n00000000",
		"0014command=ls-refs\n00000014command=ls-refs\n0000",
		"0014command=ls-refs\n0011command=fetch0000",
		"0014command=ls-refs\n000100010000",
		"0014command=ls-refs\n00020000", "0014command=ls-refs\n0003",
		"0015command=ls-refs\nx0000", "00g4command=ls-refs\n0000",
		"ffff",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		assert_int_equal(asked_find(&fetch, "version=2", bodies[i],
					    strlen(bodies[i])), ASKED_OTHER);
}

static void whole_answers(void **state)
{
	static const char caps[] = "000eversion 2\n0014object-format=xx0000";
	static const char refs[] = "0014# service=git-xx0000" "0008a b\n0000";
	size_t i;

	(void)state;
	assert_true(asked_may_keep(ASKED_CAPABILITIES, BOTH(caps)));
	assert_true(asked_may_keep(ASKED_REFS, BOTH(refs)));
	assert_true(asked_may_keep(ASKED_REFS, BOTH("0000")));
	assert_false(asked_may_keep(ASKED_OTHER, BOTH(refs)));
	assert_false(asked_may_keep(ASKED_CAPABILITIES, BOTH(refs)));
	assert_false(asked_may_keep(ASKED_REFS, "", 0));
	for (i = 0; i < sizeof(caps) - 1; i++)
		assert_false(asked_may_keep(ASKED_CAPABILITIES, caps, i));
	/* a flush in the middle is one, too: of the service's line */
	for (i = 0; i < sizeof(refs) - 1; i++)
		assert_int_equal(asked_may_keep(ASKED_REFS, refs, i), i == 24);
}

static void new_each_time(void **state)
{
	(void)state;
	assert_false(asked_may_keep(ASKED_CAPABILITIES,
		BOTH("000eversion 2\n0010session-id=x0000")));
	assert_false(asked_may_keep(ASKED_PUSH_REFS,
		BOTH("0012a b push-cert=0000")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advertisements_by_version),
		cmocka_unit_test(ls_refs_alone),
		cmocka_unit_test(other_bodies),
		cmocka_unit_test(whole_answers),
		cmocka_unit_test(new_each_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
