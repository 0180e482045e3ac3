/*
 * The command line and environment of ssh: takes an upstream's configuration
 * and what git asked for, gives arguments that leave nothing to ssh's own
 * configuration or to the environment that we got. Starts nothing.
 */
#include "git-gate-ssh-internal.h"

#include <inttypes.h>
#include <string.h>

#include "config.h"
#include "env.h"
#include "gitenv.h"
#include "log.h"
#include "share.h"

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

/* Of a master, and of a connection for one command. */
static int add_control(struct args *a, const struct config_upstream *u,
		       const char *control)
{
	struct buf *b = &a->bufs[a->nr_bufs++];
	/* 0 would be for ever */
	int64_t seconds = (u->persist_ms + 999) / 1000;

	if (!control) {
		option(a, "ControlMaster=no");
		option(a, "ControlPath=none");
		return 0;
	}
	option(a, "ControlMaster=yes");
	buf_addf(b, "ControlPersist=%" PRId64, seconds);
	option(a, b->data);
	/* no command; in the background, as soon as it is connected */
	add(a, "-N");
	add(a, "-f");
	return file_option(a, "ControlPath", control);
}

static void add_fixed(struct args *a)
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
		"EscapeChar=none",
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		option(a, fixed[i]);
}

int git_gate_ssh_args(struct args *a, const struct config *c,
		      const struct config_upstream *u,
		      const struct asked *asked, const char *control)
{
	add(a, c->ssh);
	add(a, "-F");
	add(a, "none");
	add(a, "-T");
	add_fixed(a);
	if (add_control(a, u, control) ||
	    file_option(a, "UserKnownHostsFile",
			u->known_hosts ? u->known_hosts : "/dev/null") ||
	    add_identity(a, u))
		return -1;
	/* a master sends it for those sessions that have it */
	if (asked->protocol || control)
		option(a, "SendEnv=GIT_PROTOCOL");
	if (asked->family)
		add(a, asked->family);
	add(a, "-p");
	add(a, asked->port ? asked->port : "22");
	add(a, "--");
	add(a, asked->dest);
	if (!control)
		add(a, asked->command);
	add(a, NULL);
	return 0;
}

void git_gate_ssh_args_clear(struct args *a)
{
	for (size_t i = 0; i < a->nr_bufs; i++)
		buf_clear(&a->bufs[i]);
	a->nr = a->nr_bufs = 0;
}

void git_gate_ssh_env(struct env *e, const struct config *c,
		      const char *protocol, const char *control)
{
	env_set(e, "PATH", "/usr/bin:/bin");
	env_set(e, "HOME", "/nonexistent");
	env_set(e, "LC_ALL", "C");
	env_set(e, "SSH_ASKPASS_REQUIRE", "never");
	env_set(e, GITENV_MARK, c->state);
	if (protocol)
		env_set(e, "GIT_PROTOCOL", protocol);
	if (control)
		env_set(e, SHARE_MARK, control);
}
