#ifndef UP_ADDRESS_H
#define UP_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

/* Where `git gate up` listens: a numeric address and a port. */
struct up_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa;
	socklen_t len;
	char host[INET6_ADDRSTRLEN + 8]; /* as in a URL: [::1] */
	unsigned port;
	int loopback;
};

/*
 * "127.0.0.1:8080", "[::1]:8080" or "localhost:8080"; no name is looked up.
 * Returns 0, or -1, logged.
 */
int up_address_parse(const char *text, struct up_address *out);

/*
 * Can it be listened on? Port 0 becomes one that is free. Returns 0, or -1,
 * logged. Nothing stays open.
 */
int up_address_claim(struct up_address *a);

/* Does GET /-/health answer 200 there, within timeout_ms? 1 or 0. */
int up_address_answers(const struct up_address *a, int timeout_ms);

#endif
