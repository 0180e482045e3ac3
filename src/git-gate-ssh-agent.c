/*
 * The ssh agent of an upstream, dialled before ssh is, which would say of a
 * dead one no more than "Permission denied". Takes an upstream, gives whether
 * its agent answers, at the third time at the latest.
 */
#include "git-gate-ssh-internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "agent.h"
#include "config.h"
#include "log.h"

/* Three times, 200 ms and then 400 ms apart; fault.c knows the last line. */
int git_gate_ssh_dial(const struct config_upstream *u)
{
	for (int try = 1; try <= 3; try++) {
		int fd = agent_dial(u->agent_socket, !u->identity_file);

		if (fd >= 0)
			return fd;
		log_warn("%s: the SSH agent %s: %s (attempt %d of 3)",
			 u->agent_socket, errno == ENOKEY ? "has no key" :
			 "does not answer", strerror(errno), try);
		if (try < 3)
			poll(NULL, 0, 100 << try);
	}
	return -1;
}

int git_gate_ssh_agent_ended(int fd)
{
	struct pollfd p = { .fd = fd };

	/* what it may still have to say to us is of no interest */
	return fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
}
