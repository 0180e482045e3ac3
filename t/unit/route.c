/* route.c: what a request is for, hostile paths included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "route.h"

#define UP "service=git-upload-pack"
#define RP "service=git-receive-pack"

static const struct {
	const char *method, *path, *query;
	enum route_kind kind;
	enum service service;
	const char *repo;
} cases[] = {
	{ "GET", "/a/info/refs", UP, ROUTE_ADVERTISE, SERVICE_UPLOAD_PACK, "a" },
	{ "GET", "/a.git/info/refs", RP, ROUTE_ADVERTISE,
	  SERVICE_RECEIVE_PACK, "a" },
	{ "POST", "/g/a.git/git-upload-pack", "", ROUTE_RPC,
	  SERVICE_UPLOAD_PACK, "g/a" },
	{ "POST", "/g/a/git-receive-pack", NULL, ROUTE_RPC,
	  SERVICE_RECEIVE_PACK, "g/a" },
	{ "GET", "/~u/A._~+@=-z/info/refs", UP, ROUTE_ADVERTISE,
	  SERVICE_UPLOAD_PACK, "~u/A._~+@=-z" },
	{ "GET", "/x/objects/info/refs", UP, ROUTE_ADVERTISE,
	  SERVICE_UPLOAD_PACK, "x/objects" },

	{ "GET", "/-/health", "", ROUTE_HEALTH, 0, "" },
	{ "HEAD", "/-/health", NULL, ROUTE_HEALTH, 0, "" },
	{ "POST", "/-/health", "", ROUTE_BAD_METHOD, 0, "" },
	{ "GET", "/-/health/", "", ROUTE_NONE, 0, "" },
	{ "GET", "/-/info/refs", UP, ROUTE_NONE, 0, "" },
	{ "GET", "/-/x/info/refs", UP, ROUTE_NONE, 0, "" },
	{ "GET", "/-", "", ROUTE_NONE, 0, "" },

	{ NULL, NULL, NULL, ROUTE_NONE, 0, "" },
	{ "GET", "", "", ROUTE_NONE, 0, "" },
	{ "GET", "/", "", ROUTE_NONE, 0, "" },
	{ "GET", "/a", "", ROUTE_NONE, 0, "" },
	{ "GET", "/a.git/config", "", ROUTE_NONE, 0, "" },
	{ "GET", "/a/.git/config", "", ROUTE_NONE, 0, "" },
	{ "GET", "/a/info/refs/", UP, ROUTE_NONE, 0, "" },
	{ "POST", "/a/info/lfs/objects/batch", "", ROUTE_NONE, 0, "" },
	{ "GET", "/a/INFO/refs", UP, ROUTE_NONE, 0, "" },

	{ "POST", "/a/info/refs", UP, ROUTE_BAD_METHOD, 0, "" },
	{ "HEAD", "/a/info/refs", UP, ROUTE_BAD_METHOD, 0, "" },
	{ "get", "/a/info/refs", UP, ROUTE_BAD_METHOD, 0, "" },
	{ "GET", "/a/git-upload-pack", "", ROUTE_BAD_METHOD, 0, "" },
	{ "", "/a/git-upload-pack", "", ROUTE_BAD_METHOD, 0, "" },

	{ "GET", "/a/info/refs", "", ROUTE_DUMB, 0, "" },
	{ "GET", "/a/info/refs", NULL, ROUTE_DUMB, 0, "" },
	{ "GET", "/a/info/refs", "service=git-upload-archive", ROUTE_DUMB, 0,
	  "" },
	{ "GET", "/a/info/refs", UP "&" RP, ROUTE_DUMB, 0, "" },
	{ "GET", "/a/info/refs", "x=1&" UP, ROUTE_DUMB, 0, "" },
	{ "GET", "/a/info/refs", "service=git-upload-pack%00", ROUTE_DUMB, 0,
	  "" },
	{ "GET", "/a/info/refs", "service=", ROUTE_DUMB, 0, "" },
	{ "GET", "/a/HEAD", "", ROUTE_DUMB, 0, "" },
	{ "GET", "/../HEAD", "", ROUTE_DUMB, 0, "" },
	{ "GET", "/a/objects/info/packs", "", ROUTE_DUMB, 0, "" },
	{ "GET", "/a/objects/pack/pack-1.idx", "", ROUTE_DUMB, 0, "" },
	{ "GET", "/a/objects/ab/cd", "", ROUTE_DUMB, 0, "" },
	{ "POST", "/a/git-upload-archive", "", ROUTE_DUMB, 0, "" },

	{ "GET", "/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "//info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "a/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/.git/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/../a/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a/../b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a/./b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a//b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "//a/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a//info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a/.hidden/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a/.git/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a/-b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/--upload-pack=x/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a/%2e%2e/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a\\b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a\nb/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a\x7f/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/\xc3\xa4/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a:b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a.git.git/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a.GIT/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a.git/b/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "GET", "/a.lock/info/refs", UP, ROUTE_BAD_NAME, 0, "" },
	{ "POST", "/../git-receive-pack", "", ROUTE_BAD_NAME, 0, "" },
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct route r;
		route_find(cases[i].method, cases[i].path, cases[i].query, &r);
		if (r.kind != cases[i].kind || r.service != cases[i].service ||
		    strcmp(r.repo, cases[i].repo) != 0)
			fail_msg("%s %s?%s: kind %d service %d repo %s",
				 cases[i].method, cases[i].path,
				 cases[i].query, (int)r.kind, (int)r.service,
				 r.repo);
		assert_int_equal(r.error != NULL, r.kind == ROUTE_BAD_NAME);
	}
}

/* A name of n bytes with this tail. */
static enum route_kind find_long(size_t n, const char *tail, struct route *r)
{
	static char path[20000];

	path[0] = '/';
	memset(path + 1, 'a', n);
	snprintf(path + 1 + n, sizeof(path) - 1 - n, "%s", tail);
	route_find("GET", path, UP, r);
	return r->kind;
}

static void long_names(void **state)
{
	struct route r;

	(void)state;
	assert_int_equal(find_long(255, "/info/refs", &r), ROUTE_ADVERTISE);
	assert_int_equal(strlen(r.repo), 255);
	assert_int_equal(find_long(255, ".git/info/refs", &r),
			 ROUTE_ADVERTISE);
	assert_int_equal(strlen(r.repo), 255);
	assert_int_equal(find_long(256, "/info/refs", &r), ROUTE_BAD_NAME);
	assert_string_equal(r.repo, "");
	assert_int_equal(find_long(256, ".git/info/refs", &r), ROUTE_BAD_NAME);
	for (size_t n = 350; n < 420; n++)
		assert_int_equal(find_long(n, "/info/refs", &r),
				 ROUTE_BAD_NAME);
	assert_int_equal(find_long(10000, "/info/refs", &r), ROUTE_BAD_NAME);
	assert_int_equal(find_long(10000, "", &r), ROUTE_BAD_NAME);
}

static void names(void **state)
{
	char out[ROUTE_NAME_MAX + 1];
	const char *error;

	(void)state;
	assert_int_equal(route_name("a/b.git", out, &error), 0);
	assert_string_equal(out, "a/b");
	assert_null(error);
	assert_int_equal(route_name("/a", out, &error), 0);
	assert_string_equal(out, "a");
	/* Once normalised, a name stays as it is. */
	assert_int_equal(route_name("x.gi", out, &error), 0);
	assert_string_equal(out, "x.gi");
	assert_int_equal(route_name("", out, &error), -1);
	assert_int_equal(route_name("/", out, &error), -1);
	assert_int_equal(route_name("a/", out, &error), -1);
	assert_int_equal(route_name(".git", out, &error), -1);
	assert_int_equal(route_name("a/.git", out, &error), -1);
	assert_string_equal(out, "");
	assert_non_null(error);
	assert_string_equal(route_service_name(SERVICE_NONE), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(long_names),
		cmocka_unit_test(names),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
