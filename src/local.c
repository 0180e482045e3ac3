/*
 * Names of sockets, unix(7): takes a path, gives an address for connect(2) and
 * bind(2), or says that it is too long. Opens nothing, logs nothing.
 */
#include "local.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int local_address(struct sockaddr_un *sa, const char *path)
{
	size_t n = strlen(path);

	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (n > LOCAL_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa->sun_path, path, n + 1);
	return 0;
}
