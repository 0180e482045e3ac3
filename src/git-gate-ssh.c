/*
 * What git runs for ssh: takes git's own arguments (connect.c, variant
 * "ssh"), and the upstream's name and configuration by GIT_GATE_UPSTREAM and
 * GIT_GATE_CONFIG; executes ssh with what the configuration names and nothing
 * else. Never reads a user's or system's ssh configuration, never connects to
 * another host than the upstream's.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"

/* ssh's own status for its failures (ssh(1), EXIT STATUS). */
#define SSH_FAILED 255

/* What git asked for. */
struct asked {
	const char *port;    /* or NULL */
	const char *family;  /* "-4", "-6" or NULL */
	int protocol;        /* GIT_PROTOCOL is to be sent */
	const char *dest;    /* [USER@]HOST */
	const char *command; /* for the upstream's shell */
};

/* Returns 0, or -1: not a form that git gives. */
static int read_args(int argc, char **argv, struct asked *out)
{
	int i = 1;

	memset(out, 0, sizeof(*out));
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-o") && i + 1 < argc &&
		    !strcmp(argv[i + 1], "SendEnv=GIT_PROTOCOL"))
			out->protocol = 1, i++;
		else if (!strcmp(argv[i], "-p") && i + 1 < argc)
			out->port = argv[++i];
		else if (!strcmp(argv[i], "-4") || !strcmp(argv[i], "-6"))
			out->family = argv[i];
		else
			return -1;
	}
	if (argc - i != 2)
		return -1;
	out->dest = argv[i];
	out->command = argv[i + 1];
	if (strncmp(out->command, "git-upload-pack '", 17) != 0 &&
	    strncmp(out->command, "git-receive-pack '", 18) != 0)
		return -1;
	for (const char *p = out->command; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return -1;
	return 0;
}

/* The destination and port must be the upstream's own. */
static int check_dest(const struct asked *asked, const struct gitenv_url *url)
{
	char dest[sizeof(url->user) + sizeof(url->host) + 1];

	snprintf(dest, sizeof(dest), "%s%s%s", url->user,
		 *url->user ? "@" : "", url->host);
	if (strcmp(asked->dest, dest) != 0 ||
	    strcmp(asked->port ? asked->port : "22", url->port) != 0) {
		log_error("asked to connect to %s, which is not the upstream's "
			  "address",
			  asked->dest);
		return -1;
	}
	return 0;
}

/* All n bytes before the deadline; 0 or -1, errno set. */
static int read_full(int fd, unsigned char *p, size_t n, int64_t deadline)
{
	while (n) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&pfd, 1, clock_left(deadline)) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		got = recv(fd, p, n, MSG_DONTWAIT);
		if (got == 0)
			errno = ECONNRESET;
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return -1;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

/*
 * One dial: connect, and ask for the list of identities, since a wedged agent
 * still takes connections (draft-miller-ssh-agent: request 11, answer 12).
 */
static int dial(const char *path)
{
	static const unsigned char request[] = { 0, 0, 0, 1, 11 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	unsigned char answer[5];
	int64_t deadline = clock_ms() + 2000;
	int fd, rc = -1, saved;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	/* Non-blocking: a full backlog fails at once, with EAGAIN. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)) &&
	    send(fd, request, sizeof(request), MSG_NOSIGNAL) ==
		    (ssize_t)sizeof(request) &&
	    !read_full(fd, answer, sizeof(answer), deadline)) {
		rc = answer[4] == 12 ? 0 : -1;
		errno = EPROTO;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

/* Three times, 200 ms and then 400 ms apart; fault.c knows the last line. */
static int dial_agent(const char *path)
{
	for (int try = 1; try <= 3; try++) {
		if (!dial(path))
			return 0;
		log_warn("%s: the SSH agent does not answer: %s "
			 "(attempt %d of 3)",
			 path, strerror(errno), try);
		if (try < 3)
			poll(NULL, 0, 100 << try);
	}
	return -1;
}

/* The arguments of ssh, growing. */
struct args {
	struct buf bufs[48];
	const char *list[96];
	size_t nr, nr_bufs;
};

static void add(struct args *a, const char *s)
{
	a->list[a->nr++] = s;
}

static void option(struct args *a, const char *s)
{
	add(a, "-o");
	add(a, s);
}

/*
 * NAME="PATH" as ssh's reader takes it: '"' and '\' quoted for its word
 * splitting, '%' doubled against its expansions. A '${' cannot be quoted.
 */
static int file_option(struct args *a, const char *name, const char *path)
{
	struct buf *b = &a->bufs[a->nr_bufs++];

	if (*path != '/' || strstr(path, "${")) {
		log_error("%s: ssh cannot take this path for %s; rename it",
			  path, name);
		return -1;
	}
	buf_addf(b, "%s=\"", name);
	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			buf_addc(b, '\\');
		if (*path == '%')
			buf_addc(b, '%');
		buf_addc(b, *path);
	}
	buf_addc(b, '"');
	option(a, b->data);
	return 0;
}

/* Which key to show the upstream, and who holds it. */
static int add_identity(struct args *a, const struct config_upstream *u)
{
	/* An agent alone may show all its keys; otherwise the one named. */
	option(a, u->agent_socket && !u->identity_file ? "IdentitiesOnly=no" :
							 "IdentitiesOnly=yes");
	if (!u->identity_file)
		option(a, "IdentityFile=none");
	else if (file_option(a, "IdentityFile", u->identity_file))
		return -1;
	if (u->certificate_file &&
	    file_option(a, "CertificateFile", u->certificate_file))
		return -1;
	if (!u->agent_socket)
		option(a, "IdentityAgent=none");
	else if (file_option(a, "IdentityAgent", u->agent_socket))
		return -1;
	return 0;
}

static int add_all(struct args *a, const struct config *c,
		   const struct config_upstream *u, const struct asked *asked)
{
	static const char *const fixed[] = {
		"BatchMode=yes",
		"StrictHostKeyChecking=yes",
		"GlobalKnownHostsFile=/dev/null",
		"PreferredAuthentications=publickey",
		"ConnectTimeout=10",
		"ServerAliveInterval=30",
		"ServerAliveCountMax=3",
		"TCPKeepAlive=yes",
		"ForwardAgent=no",
		"ForwardX11=no",
		"ClearAllForwardings=yes",
		"PermitLocalCommand=no",
		"ProxyCommand=none",
		"CanonicalizeHostname=no",
		"CheckHostIP=no",
		"UpdateHostKeys=no",
		"VerifyHostKeyDNS=no",
		"AddKeysToAgent=no",
		"ControlMaster=no",
		"ControlPath=none",
		"EscapeChar=none",
	};

	add(a, c->ssh);
	add(a, "-F");
	add(a, "none");
	add(a, "-T");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		option(a, fixed[i]);
	if (file_option(a, "UserKnownHostsFile",
			u->known_hosts ? u->known_hosts : "/dev/null") ||
	    add_identity(a, u))
		return -1;
	if (asked->protocol)
		option(a, "SendEnv=GIT_PROTOCOL");
	if (asked->family)
		add(a, asked->family);
	add(a, "-p");
	add(a, asked->port ? asked->port : "22");
	add(a, "--");
	add(a, asked->dest);
	add(a, asked->command);
	add(a, NULL);
	return 0;
}

/* From nothing but the one variable that git wants sent ("version=2"). */
static void fill_env(struct env *e, const struct config *c)
{
	const char *protocol = getenv("GIT_PROTOCOL");

	env_set(e, "PATH", "/usr/bin:/bin");
	env_set(e, "HOME", "/nonexistent");
	env_set(e, "LC_ALL", "C");
	env_set(e, "SSH_ASKPASS_REQUIRE", "never");
	env_set(e, GITENV_MARK, c->state);
	if (protocol && strlen(protocol) < 256 &&
	    protocol[strspn(protocol, "abcdefghijklmnopqrstuvwxyz"
				      "0123456789=:-.")] == '\0')
		env_set(e, "GIT_PROTOCOL", protocol);
}

/* Returns only when ssh could not be executed. */
static void connect_to(const struct config *c, const struct config_upstream *u,
		       const struct asked *asked)
{
	struct args args = { 0 };
	struct env e = ENV_INIT;

	if (u->agent_socket && dial_agent(u->agent_socket))
		return;
	if (!add_all(&args, c, u, asked)) {
		fill_env(&e, c);
		execve(c->ssh, (char *const *)args.list,
		       (char *const *)env_list(&e));
		log_error("%s: cannot execute: %s", c->ssh, strerror(errno));
		env_clear(&e);
	}
	for (size_t i = 0; i < args.nr_bufs; i++)
		buf_clear(&args.bufs[i]);
}

int main(int argc, char **argv)
{
	const char *file = getenv("GIT_GATE_CONFIG");
	const char *name = getenv("GIT_GATE_UPSTREAM");
	const struct config_upstream *u;
	struct gitenv_url url;
	struct asked asked;
	struct config *c;

	log_init("git-gate-ssh", LOG_PLAIN);
	if (!file || !name || read_args(argc, argv, &asked)) {
		log_error("to be run by git for git-gate; nothing for people");
		return SSH_FAILED;
	}
	c = config_load(file);
	if (!c)
		return SSH_FAILED;
	u = config_upstream(c, name);
	if (!u || gitenv_url(u->url, &url) || strcmp(url.scheme, "ssh") != 0)
		log_error("%s: no ssh upstream \"%s\"", file, name);
	else if (!check_dest(&asked, &url))
		connect_to(c, u, &asked);
	config_free(c);
	return SSH_FAILED;
}
