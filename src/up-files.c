/*
 * The private directory of one run of `git gate up`, and the files in it:
 * the web server's configuration, the lock, the logs' places. Takes what the
 * command line asked for; starts nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "buf.h"
#include "log.h"
#include "mem.h"
#include "up-address.h"
#include "up-files.h"

/*
 * Longest directory: with "/git-gated.log" and the names of sockets it must
 * fit into sun_path (108 bytes, unix(7)).
 */
#define STATE_MAX 80

/* The lines of lighttpd-conf/git-gate-socket.conf, for a whole server. */
static void lighttpd(struct buf *out, const char *state,
		     const struct up_address *a)
{
	buf_addf(out, "server.bind = \"%s\"\nserver.port = %u\n", a->host,
		 a->port);
	buf_addf(out, "server.document-root = \"%s/web\"\n", state);
	buf_addf(out, "server.upload-dirs = ( \"%s/web\" )\n", state);
	buf_addf(out, "server.errorlog = \"%s/lighttpd.log\"\n", state);
	buf_adds(out, "server.modules = ( \"mod_fastcgi\" )\n"
		      "server.tag = \"\"\n"
		      "fastcgi.server = ( \"/\" => ((\n");
	/* it may connect before the gate listens: try again at once */
	buf_addf(out,
		 "\t\"socket\" => \"%s/fcgi.sock\",\n"
		 "\t\"disable-time\" => 0,\n", state);
	buf_adds(out, "\t\"check-local\" => \"disable\",\n"
		      "\t\"fix-root-scriptname\" => \"enable\"\n"
		      ")) )\n"
		      "server.stream-request-body = 0\n"
		      "server.stream-response-body = 2\n"
		      "server.max-request-size = 0\n"
		      "server.max-write-idle = 720\n");
}

/* The lines of nginx-conf/git-gate.conf, for a whole server. */
static void nginx(struct buf *out, const char *state,
		  const struct up_address *a)
{
	static const char *const temporary[] = { "client_body", "proxy",
						 "fastcgi", "uwsgi", "scgi" };

	/* the workers must reach a socket in a private directory */
	if (!geteuid())
		buf_adds(out, "user root;\n");
	buf_addf(out, "daemon off;\nworker_processes 1;\npid %s/nginx.pid;\n",
		 state);
	buf_addf(out, "error_log %s/nginx.log;\nevents {\n}\nhttp {\n", state);
	buf_adds(out, "\taccess_log off;\n\tserver_tokens off;\n");
	for (size_t i = 0; i < sizeof(temporary) / sizeof(*temporary); i++)
		buf_addf(out, "\t%s_temp_path %s/web/%s;\n", temporary[i],
			 state, temporary[i]);
	buf_addf(out, "\tserver {\n\t\tlisten %s:%u;\n", a->host, a->port);
	buf_addf(out,
		 "\t\tlocation / {\n\t\t\tfastcgi_pass unix:%s/fcgi.sock;\n",
		 state);
	buf_adds(out, "fastcgi_param REQUEST_METHOD $request_method;\n"
		      "fastcgi_param PATH_INFO $uri;\n"
		      "fastcgi_param QUERY_STRING $query_string;\n"
		      "fastcgi_param CONTENT_TYPE $content_type;\n"
		      "fastcgi_param CONTENT_LENGTH $content_length;\n"
		      "fastcgi_param REMOTE_ADDR $remote_addr;\n"
		      "fastcgi_param SERVER_PROTOCOL $server_protocol;\n"
		      /* nobody is asked for a password: nobody has a name */
		      "fastcgi_param REMOTE_USER \"\";\n"
		      "client_max_body_size 0;\n"
		      "fastcgi_request_buffering off;\n"
		      "fastcgi_buffering off;\n"
		      "fastcgi_read_timeout 1h;\n"
		      "fastcgi_send_timeout 1h;\n"
		      "\t\t}\n\t}\n}\n");
}

const struct up_server *up_files_server(const char *name)
{
	static const struct up_server servers[] = {
		{ "lighttpd", "/usr/sbin/lighttpd", "lighttpd", lighttpd },
		{ "nginx", "/usr/sbin/nginx", "nginx-light", nginx },
	};

	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		if (strcmp(servers[i].name, name) != 0)
			continue;
		if (!access(servers[i].program, X_OK))
			return &servers[i];
		log_error("%s: %s; on Debian: apt-get install %s",
			  servers[i].program, strerror(errno),
			  servers[i].package);
		return NULL;
	}
	log_error("--server: no server is called '%s'; there are lighttpd and "
		  "nginx", name);
	return NULL;
}

char *up_files_path(const char *state, const char *name)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s", state, name);
	return buf_take(&b);
}

/*
 * The path goes into three files with different ideas of quoting: take what
 * means itself in all of them.
 */
static int plain_path(const char *path)
{
	return strlen(path) <= STATE_MAX &&
	       !path[strspn(path, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789/._+-")];
}

static char *find_state(const char *dir)
{
	char fresh[] = "/tmp/git-gate-XXXXXX"; /* TMPDIR is the caller's word */
	struct stat st;
	char *path;

	if (!dir) {
		if (mkdtemp(fresh))
			return mem_strdup(fresh);
		log_error("%s: cannot make it: %s; name a directory with "
			  "--state", fresh, strerror(errno));
		return NULL;
	}
	if (mkdir(dir, 0700) && errno != EEXIST) {
		log_error("%s: cannot make it: %s", dir, strerror(errno));
		return NULL;
	}
	path = realpath(dir, NULL);
	if (!path || stat(path, &st))
		log_error("%s: %s", dir, strerror(errno));
	else if (!plain_path(path))
		log_error("%s: the path of --state is longer than %d bytes or "
			  "has other bytes than letters, digits and /._+-",
			  path, STATE_MAX);
	else if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
		 st.st_mode & 077)
		log_error("%s: --state wants a directory that is yours alone; "
			  "chmod 700 it, or name one that is not there yet",
			  path);
	else
		return path;
	free(path);
	return NULL;
}

char *up_files_state(const char *dir, int *lock)
{
	char *state = find_state(dir), *path, *web;

	*lock = -1;
	if (!state)
		return NULL;
	path = up_files_path(state, "lock");
	web = up_files_path(state, "web");
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*lock < 0)
		log_error("%s: cannot make it: %s", path, strerror(errno));
	else if (flock(*lock, LOCK_EX | LOCK_NB))
		log_error("%s: another git gate up runs there", state);
	else if (mkdir(web, 0700) && errno != EEXIST)
		log_error("%s: cannot make it: %s", web, strerror(errno));
	else
		goto out;
	if (*lock >= 0)
		close(*lock);
	*lock = -1;
	free(state);
	state = NULL;
out:
	free(path);
	free(web);
	return state;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0; /* go on: as much as can be removed is */
}

void up_files_remove(const char *state)
{
	/* 16: directories open at once */
	nftw(state, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (!access(state, F_OK))
		log_warn("%s: could not be removed", state);
}

int up_files_write(const char *path, const struct buf *text)
{
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	ssize_t n = fd < 0 ? -1 : write(fd, text->data, text->len);

	if (n != (ssize_t)text->len)
		log_error("%s: cannot write it: %s", path,
			  n < 0 ? strerror(errno) : "no space left");
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)text->len ? 0 : -1;
}

int up_files_web(const struct up_server *s, const char *state,
		 const struct up_address *a)
{
	struct buf text = BUF_INIT, name = BUF_INIT;
	int ret;

	buf_addf(&name, "%s/%s.conf", state, s->name);
	s->write(&text, state, a);
	ret = up_files_write(name.data, &text);
	buf_clear(&text);
	buf_clear(&name);
	return ret;
}
