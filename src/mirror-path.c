/*
 * Where a name's repository lies: takes the configuration and a normalised
 * name, gives a path. Different upstream addresses give different paths,
 * whatever bytes they have; nothing lies outside MIRRORS or HOSTED.
 */
#include "mirror.h"
#include "mirror-internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "gitenv.h"
#include "log.h"
#include "mem.h"

/*
 * One component of a path: letters, digits and some signs stay, all else is
 * %XX. A leading '.' goes (hidden, "..", "."), and so does the dot of ".git"
 * in a directory, which could be a mirror or a half-made one otherwise.
 */
static void add_component(struct buf *out, const char *s, size_t n,
			  const char *signs, int is_dir)
{
	if (!n)
		buf_addc(out, '%'); /* no other component is this */
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i];
		int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || (c && strchr(signs, c));

		if (c == '.' && (!i || (is_dir && n - i >= 4 &&
					!memcmp(s + i, ".git", 4))))
			plain = 0;
		buf_addf(out, plain ? "%c" : "%%%02X", c);
	}
}

/* Each of the components of s, a '/' before it. */
static void add_components(struct buf *out, const char *s, int last_is_dir)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		buf_addc(out, '/');
		add_component(out, s, n, ".-_~+@=", s[n] || last_is_dir);
		if (!s[n])
			return;
		s += n + 1;
	}
}

int mirror_path_base(const struct config *c, const struct config_upstream *u,
		     struct buf *out)
{
	struct gitenv_url url;
	char *base;

	if (gitenv_url(u->url, &url)) {
		log_error("%s:%d: url: not an upstream's address", c->name,
			  u->line);
		return -1;
	}
	buf_addf(out, "%s/%s_", c->mirrors, url.scheme);
	if (*url.user) {
		add_component(out, url.user, strlen(url.user), ".-", 1);
		buf_addc(out, '@');
	}
	/* '_' separates, so it is none of the plain signs here. */
	add_component(out, *url.host ? url.host : "local",
		      strlen(*url.host ? url.host : "local"), ".-", 1);
	buf_addf(out, "_%s", url.port);
	if (strcmp(u->suffix, ".git") != 0) {
		buf_addc(out, '_');
		add_component(out, u->suffix, strlen(u->suffix), ".-", 1);
	}
	/* Between the first and the last slash, which always is there. */
	base = mem_strdup(url.path + 1);
	if (*base) {
		base[strlen(base) - 1] = '\0';
		add_components(out, base, 1);
	}
	free(base);
	return 0;
}

static int mirrored(const struct config *c, const struct config_upstream *u,
		    const char *name, struct buf *out)
{
	if (mirror_path_base(c, u, out))
		return -1;
	add_components(out, name, 0);
	buf_adds(out, ".git");
	return 0;
}

int mirror_path_is_bare(const char *path)
{
	static const struct {
		const char *name;
		mode_t type;
	} parts[] = {
		{ "HEAD", S_IFREG },
		{ "objects", S_IFDIR },
		{ "refs", S_IFDIR },
	};
	char file[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		int n = snprintf(file, sizeof(file), "%s/%s", path,
				 parts[i].name);

		if (n >= (int)sizeof(file) || stat(file, &st) ||
		    (st.st_mode & S_IFMT) != parts[i].type)
			return 0;
	}
	return 1;
}

static int hosted(const struct config_repo *r, const char *name,
		  struct buf *out)
{
	char *root = realpath(r->hosted, NULL), *real = NULL;
	int rc = -1;

	if (!root) {
		log_error("%s: %s; make it, or correct `hosted`", r->hosted,
			  strerror(errno));
		return -1;
	}
	buf_addf(out, "%s/%s.git", strcmp(root, "/") ? root : "", name);
	/* What is not there is the client's mistake, and not logged. */
	real = realpath(out->data, NULL);
	if (real && strcmp(real, out->data) != 0)
		log_warn("%s: lies behind a symbolic link; not served",
			 out->data);
	else if (real && !mirror_path_is_bare(real))
		log_warn("%s: no bare repository; not served", out->data);
	else if (real)
		rc = 0;
	free(real);
	free(root);
	return rc;
}

int mirror_path(const struct config *c, const struct config_repo *r,
		const char *name, struct buf *out)
{
	buf_reset(out);
	return r->upstream ? mirrored(c, r->upstream, name, out) :
			     hosted(r, name, out);
}

int mirror_path_parents(const char *path)
{
	char *dir = mem_strdup(path);
	int rc = 0;

	for (char *p = strchr(dir + 1, '/'); p && !rc; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, 0700) && errno != EEXIST) {
			log_error("%s: cannot be made: %s", dir,
				  strerror(errno));
			rc = -1;
		}
		*p = '/';
	}
	free(dir);
	return rc;
}
