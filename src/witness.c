/*
 * The witness, from the responder's side: takes the connections of answers
 * under way, gives them to a process that is made at the start and watches for
 * our end. Never waits for it; what does not go to it at once is left.
 */
#include "witness.h"
#include "witness-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

/* Our end of the pair, or -1: there is no witness. Set before any thread is. */
static int pair = -1;

/* fd goes beside the word, if it is one. */
static void tell(struct witness_word word, int fd)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;
	union witness_control control = { .room = "" };
	struct iovec part = { .iov_base = &word, .iov_len = sizeof(word) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (pair < 0)
		return;
	if (fd >= 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
	}
	if (sendmsg(pair, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    (errno == EPIPE || errno == ECONNRESET) &&
	    !atomic_flag_test_and_set(&told))
		log_warn("the witness has ended: should this process be killed,"
			 " clients may wait for the rest of their answers; "
			 "restart it when there is time");
}

void witness_hold(int fd, unsigned id)
{
	tell((struct witness_word){ .number = fd, .id = id }, fd);
}

/*
 * A word that is lost does no harm: by then nothing more can be sent on that
 * connection, and the next one of this number takes its place.
 */
void witness_done(int fd)
{
	tell((struct witness_word){ .number = fd }, -1);
}

/* Not where one of 0, 1 and 2 is missing, which others look at. */
static int out_of_the_way(int fd)
{
	int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	close(fd);
	return higher;
}

/* A child of a child that ends at once belongs to nobody here. */
static int fork_twice(int ours, int theirs, char **argv)
{
	pid_t pid = fork(), second;
	int status = 0;

	if (pid < 0)
		return -1;
	if (pid == 0) {
		second = fork();
		if (second == 0) {
			close(ours);
			witness_process(theirs, argv);
		}
		_exit(second < 0 ? errno : 0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = WEXITSTATUS(status);
	return status == 0 ? 0 : -1;
}

void witness_start(char **argv)
{
	int fds[2] = { -1, -1 }, rc = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0) {
		fds[0] = out_of_the_way(fds[0]);
		fds[1] = out_of_the_way(fds[1]);
		if (fds[0] >= 0 && fds[1] >= 0)
			rc = fork_twice(fds[0], fds[1], argv);
	}
	if (rc < 0)
		log_warn("no witness: %s; should this process be killed, "
			 "clients may wait for the rest of their answers",
			 strerror(errno));
	if (fds[1] >= 0)
		close(fds[1]);
	if (rc < 0 && fds[0] >= 0)
		close(fds[0]);
	else
		pair = fds[0];
}
