// Who may connect to a mosquitto that nodes share, and which topics are whose: asks a node with POST /mqtt/auth/form (docs/api.md), and
// holds the rules of topic-rules.ts. For mosquitto 2.0 (plugin version 5); a C compiler, mosquitto-dev and libmosquitto-dev make it:
//   cc -shared -fPIC -O2 -Wall -o gridseal.so mosquitto-plugin.c
// Options: plugin_opt_network NAME, plugin_opt_node_1 ADDRESS:PORT to plugin_opt_node_8, tried in turn. While none answers nobody new
// is let in.

#include <arpa/inet.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NODES_MAX 8
#define PEERS_MAX 128
#define ID_LENGTH 16
#define TOKEN_MAX 2100
#define ANSWER_MAX 2048
/* The broker waits meanwhile: a node on the same network answers in milliseconds. */
#define PATIENCE_S 2

enum who { NOBODY, STRANGER, HOLDER, PEER };

static mosquitto_plugin_id_t *plugin;
static char network[33];
static struct sockaddr_in nodes[NODES_MAX];
static int node_count;
/* Users that were let in as nodes; a holder's name is its key's id, which is no node's. */
static char peers[PEERS_MAX][ID_LENGTH + 1];
static int peer_count;

static bool is_made_of(const char *text, const char *alphabet, size_t max) {
	size_t length = strlen(text);
	return length > 0 && length <= max && strspn(text, alphabet) == length;
}

static bool is_id(const char *text) {
	return strlen(text) == ID_LENGTH && is_made_of(text, "0123456789abcdef", ID_LENGTH);
}

static bool is_peer(const char *user) {
	for (int at = 0; at < peer_count; at++)
		if (strcmp(peers[at], user) == 0) return true;
	return false;
}

static bool send_all(int connection, const char *bytes, size_t length) {
	while (length > 0) {
		ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0) return false;
		bytes += sent;
		length -= (size_t)sent;
	}
	return true;
}

/* The status of the node's answer, which is written behind it; 0 where none came. */
static int ask(const struct sockaddr_in *node, const char *body, char *answer) {
	int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection < 0) return 0;
	struct timeval patience = {.tv_sec = PATIENCE_S};
	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	char head[256];
	int length = snprintf(head, sizeof head,
		"POST /mqtt/auth/form HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n", strlen(body));
	int status = 0;
	size_t got = 0;
	if (connect(connection, (const struct sockaddr *)node, sizeof *node) == 0 &&
		send_all(connection, head, (size_t)length) && send_all(connection, body, strlen(body))) {
		ssize_t more;
		while (got < ANSWER_MAX - 1 && (more = recv(connection, answer + got, ANSWER_MAX - 1 - got, 0)) > 0) got += (size_t)more;
		answer[got] = 0;
		if (sscanf(answer, "HTTP/1.1 %3d", &status) != 1) status = 0;
	}
	close(connection);
	return status;
}

static enum who judge(const char *user, const char *token) {
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	char body[TOKEN_MAX + 64];
	char answer[ANSWER_MAX];
	if (user == NULL && token == NULL) return STRANGER;
	if (user == NULL || token == NULL || !is_id(user) || !is_made_of(token, alphabet, TOKEN_MAX)) return NOBODY;
	snprintf(body, sizeof body, "username=%s&password=%s", user, token);
	for (int at = 0; at < node_count; at++) {
		int status = ask(&nodes[at], body, answer);
		/* A node that is busy or gone leaves it to the next one. */
		if (status == 0 || status == 429 || status >= 500) continue;
		if (status != 200) return NOBODY;
		if (strstr(answer, "{\"is\":\"node\"}") != NULL) return PEER;
		return strstr(answer, "{\"is\":\"holder\"}") != NULL ? HOLDER : NOBODY;
	}
	mosquitto_log_printf(MOSQ_LOG_WARNING, "gridseal: no node answers, and nobody is let in");
	return NOBODY;
}

static int on_connect(int event, void *data, void *unused) {
	struct mosquitto_evt_basic_auth *connecting = data;
	const char *user = connecting->username;
	enum who who = judge(user, connecting->password);
	if (who == NOBODY) return MOSQ_ERR_AUTH;
	if (who == PEER && !is_peer(user)) {
		if (peer_count == PEERS_MAX) return MOSQ_ERR_AUTH;
		strcpy(peers[peer_count++], user);
	}
	return MOSQ_ERR_SUCCESS;
}

/* Whether the topic or filter is gs1/<network>/<level>/<kind>/<id>; what is between the slashes is written down. */
static bool read_topic(const char *topic, char *level, char *kind, char *id) {
	char name[33];
	int end = 0;
	if (strncmp(topic, "$share/", 7) == 0) {
		topic = strchr(topic + 7, '/');
		if (topic == NULL) return false;
		topic++;
	}
	if (sscanf(topic, "gs1/%32[^/]/%5[^/]/%9[^/]/%16[^/]%n", name, level, kind, id, &end) != 4) return false;
	return topic[end] == 0 && strcmp(name, network) == 0;
}

static bool is_one_of(const char *kind, const char *const *kinds) {
	for (; *kinds != NULL; kinds++)
		if (strcmp(kind, *kinds) == 0) return true;
	return false;
}

static int on_topic(int event, void *data, void *unused) {
	static const char *const from_meter[] = {"birth", "death", "diag", NULL};
	static const char *const to_meter[] = {"ack", "command", "time", "violation", NULL};
	static const char *const to_service[] = {"receipt", "members", NULL};
	struct mosquitto_evt_acl_check *use = data;
	const char *user = mosquitto_client_username(use->client);
	char level[6], kind[10], id[ID_LENGTH + 1];
	if (use->access == MOSQ_ACL_UNSUBSCRIBE) return MOSQ_ERR_SUCCESS;
	if (!read_topic(use->topic, level, kind, id)) return MOSQ_ERR_ACL_DENIED;
	bool is_of_meter = strcmp(level, "-") == 0;
	bool is_from = is_of_meter ? is_one_of(kind, from_meter) : strcmp(kind, "record") == 0;
	bool is_to = is_of_meter ? is_one_of(kind, to_meter) : is_one_of(kind, to_service);
	bool is_write = use->access == MOSQ_ACL_WRITE;
	if (is_write && (strpbrk(use->topic, "+#") != NULL || !is_id(id))) return MOSQ_ERR_ACL_DENIED;
	if (strcmp(level, "#") == 0 || strcmp(kind, "#") == 0 || strcmp(id, "#") == 0) return MOSQ_ERR_ACL_DENIED;
	bool may;
	if (user == NULL) may = is_of_meter && strcmp(kind, is_write ? "birth" : "time") == 0;
	else if (is_peer(user)) may = is_write ? is_to : is_from;
	else may = strcmp(id, user) == 0 && (is_write ? is_from : is_to);
	return may ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

int mosquitto_plugin_version(int count, const int *versions) {
	for (int at = 0; at < count; at++)
		if (versions[at] == 5) return 5;
	return -1;
}

static bool read_node(const char *text) {
	char address[INET_ADDRSTRLEN];
	int port = 0;
	struct sockaddr_in *node = &nodes[node_count];
	if (node_count == NODES_MAX || sscanf(text, "%15[0-9.]:%5d", address, &port) != 2) return false;
	if (port < 1 || port > 65535 || inet_pton(AF_INET, address, &node->sin_addr) != 1) return false;
	node->sin_family = AF_INET;
	node->sin_port = htons((unsigned short)port);
	node_count++;
	return true;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **data, struct mosquitto_opt *options, int count) {
	plugin = id;
	for (int at = 0; at < count; at++) {
		const char *value = options[at].value;
		bool is_good = false;
		if (strcmp(options[at].key, "network") == 0) {
			is_good = is_made_of(value, "abcdefghijklmnopqrstuvwxyz0123456789-", sizeof network - 1);
			if (is_good) strcpy(network, value);
		} else if (strncmp(options[at].key, "node_", 5) == 0) is_good = read_node(value);
		if (is_good) continue;
		mosquitto_log_printf(MOSQ_LOG_ERR, "gridseal: plugin_opt_%s %s is not understood", options[at].key, value);
		return MOSQ_ERR_INVAL;
	}
	if (network[0] == 0 || node_count == 0) {
		mosquitto_log_printf(MOSQ_LOG_ERR, "gridseal: plugin_opt_network and plugin_opt_node_1 are missing");
		return MOSQ_ERR_INVAL;
	}
	int failed = mosquitto_callback_register(plugin, MOSQ_EVT_BASIC_AUTH, on_connect, NULL, NULL);
	return failed ? failed : mosquitto_callback_register(plugin, MOSQ_EVT_ACL_CHECK, on_topic, NULL, NULL);
}

int mosquitto_plugin_cleanup(void *data, struct mosquitto_opt *options, int count) {
	mosquitto_callback_unregister(plugin, MOSQ_EVT_BASIC_AUTH, on_connect, NULL);
	mosquitto_callback_unregister(plugin, MOSQ_EVT_ACL_CHECK, on_topic, NULL);
	return MOSQ_ERR_SUCCESS;
}
