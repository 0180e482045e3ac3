#ifndef LOCAL_H
#define LOCAL_H

#include <sys/un.h>

/* Bytes of the longest name that a socket in the file system may have. */
#define LOCAL_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/*
 * The address of the socket at path, whole. Returns 0; or -1, ENAMETOOLONG: a
 * longer name would be cut, and be that of another socket.
 */
int local_address(struct sockaddr_un *sa, const char *path);

#endif
