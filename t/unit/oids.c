/* oid.c, oids.c: ids from and to digits, and a set that keeps their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "oid.h"
#include "oids.h"

#define DIGITS "0123456789abcdef0123456789ABCDEF01234567"
#define LOWER "0123456789abcdef0123456789abcdef01234567"

static void digits(void **state)
{
	char hex[OID_HEX_MAX + 1];
	struct oid id, other;

	(void)state;
	assert_int_equal(oid_parse(&id, DIGITS " and more", OID_SHA1), 0);
	assert_int_equal(id.raw[0], 0x01);
	assert_int_equal(id.raw[19], 0x67);
	assert_int_equal(id.raw[20], 0); /* the rest is zero */
	assert_string_equal(oid_hex(&id, OID_SHA1, hex), LOWER);
	assert_int_equal(oid_parse(&other, LOWER, OID_SHA1), 0);
	assert_true(oid_equal(&id, &other));
	other.raw[19] ^= 1;
	assert_false(oid_equal(&id, &other));
	/* one digit short, none, and one that is no digit */
	assert_int_equal(oid_parse(&id, LOWER, OID_SHA256), -1);
	assert_int_equal(oid_parse(&id, "", OID_SHA1), -1);
	assert_int_equal(oid_parse(&id, "0123456789abcdef0123456789abcdef0123456g",
				   OID_SHA1),
			 -1);
	assert_int_equal(oid_parse(&id, LOWER "012345670123456701234567",
				   OID_SHA256),
			 0);
	assert_int_equal(id.raw[31], 0x67);
}

static void set(void **state)
{
	struct oids s = OIDS_INIT;
	struct oid id = { { 0 } };
	uint32_t i;
	int added;

	(void)state;
	assert_int_equal(oids_find(&s, &id), -1);
	for (i = 0; i < 50000; i++) {
		memcpy(id.raw + i % 3 * 8, &i, sizeof(i));
		assert_int_equal(oids_put(&s, &id, &added), i);
		assert_true(added);
		assert_int_equal(oids_put(&s, &id, i % 2 ? &added : NULL), i);
		assert_true(i % 2 == 0 || !added);
		memset(id.raw, 0, sizeof(id.raw));
	}
	assert_int_equal(s.nr, 50000);
	for (i = 0; i < 50000; i++) {
		memcpy(id.raw + i % 3 * 8, &i, sizeof(i));
		assert_int_equal(oids_find(&s, &id), i);
		assert_true(oid_equal(&s.list[i], &id));
		memset(id.raw, 0, sizeof(id.raw));
	}
	memset(id.raw, 0xff, sizeof(id.raw));
	assert_int_equal(oids_find(&s, &id), -1);
	oids_clear(&s);
	assert_int_equal(oids_find(&s, &id), -1);
	oids_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits),
		cmocka_unit_test(set),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
