/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip_message: where things are in the text of a SIP message.
 */
#include "helper/sip_message.h"

#include <string.h>
#include <strings.h>

#define METHOD_MAX 32
#define BODY_MAX   (1 << 20)

static uint32_t end_of(struct span span)
{
	return span.at + span.length;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of methods and field names: the token of RFC 3261, 25.1. */
static bool is_token(char c)
{
	return is_letter(c) || is_digit(c) || (c != '\0' && strchr("-.!%*_+`'~", c) != NULL);
}

static bool span_is(const char *text, struct span span, const char *word)
{
	return span.length == strlen(word) && strncasecmp(text + span.at, word, span.length) == 0;
}

/* Without blanks and line ends (of folded lines) around it. */
static struct span trimmed(const char *text, struct span span)
{
	while (span.length > 0 && strchr(" \t\r\n", text[span.at]) != NULL) {
		span.at++;
		span.length--;
	}
	while (span.length > 0 && strchr(" \t\r\n", text[end_of(span) - 1]) != NULL)
		span.length--;
	return span;
}

bool sip_number(const char *text, struct span digits, uint32_t *number)
{
	uint64_t value = 0;

	if (digits.length == 0 || digits.length > 10)
		return false;
	for (uint32_t i = digits.at; i < end_of(digits); i++) {
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*number = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* ---- lines ---- */

enum line { LINE_WHOLE, LINE_INCOMPLETE, LINE_BAD };

/* A line that ends in CRLF and holds no control characters; `line` is without its end. */
static enum line line_next(const char *text, uint32_t bytes, uint32_t *at, struct span *line)
{
	uint32_t i = *at;

	while (i < bytes && ((unsigned char)text[i] >= ' ' || text[i] == '\t') && text[i] != 127)
		i++;
	if (i == bytes || (text[i] == '\r' && i + 1 == bytes))
		return LINE_INCOMPLETE;
	if (text[i] != '\r' || text[i + 1] != '\n')
		return LINE_BAD;
	*line = (struct span){*at, i - *at};
	*at = i + 2;
	return LINE_WHOLE;
}

static const struct {
	const char *name;
	uint8_t method;
} methods[] = {
	{"INVITE", SIP_INVITE},
	{"ACK", SIP_ACK},
	{"PRACK", SIP_PRACK},
	{"UPDATE", SIP_UPDATE},
	{"CANCEL", SIP_CANCEL},
	{"BYE", SIP_BYE},
	{"REGISTER", SIP_REGISTER},
};

/* Methods are written in capitals, always. */
static uint8_t method_of(const char *text, struct span word)
{
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (word.length == strlen(methods[i].name) &&
			memcmp(text + word.at, methods[i].name, word.length) == 0)
			return methods[i].method;
	return SIP_OTHER;
}

static const char version[] = "SIP/2.0";
#define VERSION_LENGTH (sizeof(version) - 1)

static bool has_version(const char *text, uint32_t at, uint32_t end)
{
	return end - at >= VERSION_LENGTH && strncasecmp(text + at, version, VERSION_LENGTH) == 0;
}

/* "SIP/2.0 200 OK" */
static bool parse_status(const char *text, struct span line, struct sip_message *message)
{
	const char *digits = text + line.at + VERSION_LENGTH + 1;

	if (line.length < VERSION_LENGTH + 4 || digits[-1] != ' ')
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (!is_digit(digits[i]))
			return false;
		message->status = (uint16_t)(message->status * 10 + (digits[i] - '0'));
	}
	return message->status >= 100 && (line.length == VERSION_LENGTH + 4 || digits[3] == ' ');
}

/* "INVITE sip:bob@192.0.2.1 SIP/2.0" */
static bool parse_request(const char *text, struct span line, struct sip_message *message)
{
	const uint32_t end = end_of(line);
	uint32_t at = line.at;

	while (at < end && at - line.at < METHOD_MAX && is_token(text[at]))
		at++;
	if (at == line.at || at == end || text[at] != ' ')
		return false;
	message->method = method_of(text, (struct span){line.at, at - line.at});
	message->uri.at = ++at;
	while (at < end && text[at] != ' ')
		at++;
	message->uri.length = at - message->uri.at;
	return message->uri.length > 0 && at < end && has_version(text, at + 1, end) &&
	       end == at + 1 + VERSION_LENGTH;
}

/* Could a line of which this much is there still become a start line? */
static bool may_start(const char *text, uint32_t bytes)
{
	uint32_t at = 0;

	if (strncasecmp(text, version, bytes < VERSION_LENGTH ? bytes : VERSION_LENGTH) == 0)
		return true;
	while (at < bytes && at < METHOD_MAX && is_token(text[at]))
		at++;
	return at > 0 && (at == bytes || text[at] == ' ');
}

/* ---- header fields ---- */

static const struct {
	const char *name, *compact;
	uint8_t field;
} names[] = {
	{"Via", "v", SIP_VIA},
	{"Contact", "m", SIP_CONTACT},
	{"From", "f", SIP_FROM},
	{"To", "t", SIP_TO},
	{"Route", "", SIP_ROUTE},
	{"Record-Route", "", SIP_RECORD_ROUTE},
	{"Call-ID", "i", SIP_CALL_ID},
	{"CSeq", "", SIP_CSEQ},
	{"Expires", "", SIP_EXPIRES},
	{"Content-Length", "l", SIP_CONTENT_LENGTH},
	{"Content-Type", "c", SIP_CONTENT_TYPE},
};

static uint8_t name_of(const char *text, struct span word)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(text, word, names[i].name) || span_is(text, word, names[i].compact))
			return names[i].field;
	return SIP_FIELD_OTHER;
}

bool sip_field_next(const struct sip_message *message, uint32_t *at, struct sip_field *field)
{
	const uint32_t end = end_of(message->fields);
	const char *text = message->text;
	struct span line = {0, 0}, folded;

	if (*at >= end || line_next(text, end, at, &line) != LINE_WHOLE)
		return false;
	while (*at < end && is_blank(text[*at]) && line_next(text, end, at, &folded) == LINE_WHOLE)
		line.length = end_of(folded) - line.at;

	uint32_t colon = line.at;
	while (colon < end_of(line) && text[colon] != ':')
		colon++;
	field->name = name_of(text, trimmed(text, (struct span){line.at, colon - line.at}));
	if (colon < end_of(line))
		colon++;
	field->value = trimmed(text, (struct span){colon, end_of(line) - colon});
	return true;
}

/* "application/sdp; charset=..." */
static bool is_sdp(const char *text, struct span value)
{
	static const char type[] = "application/sdp";
	const uint32_t length = sizeof(type) - 1;

	return value.length >= length && strncasecmp(text + value.at, type, length) == 0 &&
	       (value.length == length || strchr("; \t", text[value.at + length]) != NULL);
}

/* "314159 INVITE" */
static uint8_t cseq_method(const char *text, struct span value)
{
	while (value.length > 0 && is_digit(text[value.at])) {
		value.at++;
		value.length--;
	}
	return method_of(text, trimmed(text, value));
}

/* Take from a field what matters for the whole message; false where it contradicts another. */
static bool learn(struct sip_message *message, const struct sip_field *field)
{
	const char *text = message->text;

	switch (field->name) {
	case SIP_CALL_ID:
		message->call_id = field->value;
		return true;
	case SIP_CSEQ:
		if (message->status != 0)
			message->method = cseq_method(text, field->value);
		return true;
	case SIP_EXPIRES:
		message->has_expires = sip_number(text, field->value, &message->expires_s);
		return true;
	case SIP_CONTENT_TYPE:
		message->has_sdp = is_sdp(text, field->value);
		return true;
	case SIP_CONTENT_LENGTH:
		if (message->content_length.length > 0)
			return false;
		message->content_length = field->value;
		return field->value.length > 0;
	default:
		return true;
	}
}

static bool learn_all(struct sip_message *message)
{
	uint32_t at = message->fields.at;
	struct sip_field field;

	while (sip_field_next(message, &at, &field))
		if (!learn(message, &field))
			return false;
	return true;
}

/* ---- the whole ---- */

/* From `*at`, behind the start line, to behind the empty line. */
static enum line find_head_end(const char *text, uint32_t bytes, uint32_t *at)
{
	struct span line = {0, 1};

	while (line.length > 0) {
		const enum line found = line_next(text, bytes, at, &line);
		if (found != LINE_WHOLE)
			return found;
	}
	return LINE_WHOLE;
}

static enum sip_framing find_end(struct sip_message *message, uint32_t bytes, bool stream)
{
	uint32_t body = 0;

	if (message->content_length.length == 0) {
		message->length = bytes;
		return stream ? SIP_FOREIGN : SIP_WHOLE;
	}
	if (!sip_number(message->text, message->content_length, &body) || body > BODY_MAX)
		return SIP_FOREIGN;
	message->length = message->head + body;
	if (message->length <= bytes)
		return SIP_WHOLE;
	return stream ? SIP_INCOMPLETE : SIP_FOREIGN;
}

enum sip_framing sip_message_parse(
	const char *text, uint32_t bytes, bool stream, struct sip_message *message)
{
	uint32_t at = 0;
	struct span line;

	*message = (struct sip_message){.text = text};
	enum line found = line_next(text, bytes, &at, &line);
	if (found == LINE_INCOMPLETE && stream && may_start(text, bytes))
		return SIP_INCOMPLETE;
	if (found != LINE_WHOLE)
		return SIP_FOREIGN;
	if (!(has_version(text, 0, line.length) ? parse_status : parse_request)(
		    text, line, message))
		return SIP_FOREIGN;
	message->fields.at = at;
	found = find_head_end(text, bytes, &at);
	if (found != LINE_WHOLE)
		return found == LINE_INCOMPLETE && stream ? SIP_INCOMPLETE : SIP_FOREIGN;
	message->head = at;
	message->fields.length = at - 2 - message->fields.at;
	return learn_all(message) ? find_end(message, bytes, stream) : SIP_FOREIGN;
}

/* ---- addresses ---- */

static void parse_address(const char *text, struct span host, struct sip_place *place)
{
	const bool bracketed = text[host.at] == '[';
	char copy[ADDR_TEXT_SIZE];
	union addr address;
	uint8_t family;

	if (bracketed)
		host = (struct span){host.at + 1, host.length - 2};
	if (host.length >= sizeof(copy))
		return;
	memcpy(copy, text + host.at, host.length);
	copy[host.length] = '\0';
	if (!addr_parse(copy, &address, &family) || (family == AF_INET6) != bracketed)
		return;
	place->address = address;
	place->family = family;
}

static bool is_host(char c)
{
	return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
}

bool sip_place_parse(const char *text, struct span where, struct sip_place *place)
{
	const uint32_t end = end_of(where);
	uint32_t at = where.at, port;

	*place = (struct sip_place){.host = {where.at, 0}};
	if (at < end && text[at] == '[') {
		while (at < end && text[at] != ']')
			at++;
		if (at++ == end)
			return false;
	} else {
		while (at < end && is_host(text[at]))
			at++;
	}
	place->host.length = at - where.at;
	if (place->host.length == 0)
		return false;
	parse_address(text, place->host, place);
	if (at == end || text[at] != ':')
		return true;
	place->port.at = ++at;
	while (at < end && is_digit(text[at]))
		at++;
	place->port.length = at - place->port.at;
	if (!sip_number(text, place->port, &port) || port == 0 || port > 65535)
		return false;
	place->number = (uint16_t)port;
	return true;
}

/* Length of "sip:" or "sips:" at `at`, or 0. */
static uint32_t scheme_length(const char *text, uint32_t at, uint32_t end)
{
	if (end - at >= 4 && strncasecmp(text + at, "sip:", 4) == 0)
		return 4;
	return end - at >= 5 && strncasecmp(text + at, "sips:", 5) == 0 ? 5 : 0;
}

/* Behind the quoted string that begins at `at`. */
static uint32_t skip_quoted(const char *text, uint32_t at, uint32_t end)
{
	for (at++; at < end && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < end ? at + 1 : end;
}

/* The end of a URI: of one in brackets the bracket, of a bare one whatever would need brackets
 * (RFC 3261, 20). */
static uint32_t uri_end(const char *text, uint32_t at, uint32_t end, bool bracketed)
{
	while (at < end && strchr(bracketed ? ">\"" : " \t\r\n,;?>\"", text[at]) == NULL)
		at++;
	return at;
}

/* Where the next URI begins; `end` where there is none. */
static uint32_t find_uri(const char *text, uint32_t at, uint32_t end)
{
	bool word = true; /* may a URI begin here? */

	while (at < end) {
		if (text[at] == '"') {
			at = skip_quoted(text, at, end);
			word = false;
			continue;
		}
		if (word && scheme_length(text, at, end) > 0)
			return at;
		word = strchr(" \t\r\n,<", text[at]) != NULL;
		at++;
	}
	return end;
}

bool sip_uri_next(const char *text, struct span *rest, struct sip_place *place)
{
	const uint32_t end = end_of(*rest);

	while (rest->length > 0) {
		const uint32_t at = find_uri(text, rest->at, end);
		const bool bracketed = at > rest->at && text[at - 1] == '<';
		const uint32_t stop = uri_end(text, at, end, bracketed);
		const char *user = memchr(text + at, '@', stop - at);
		const uint32_t host = user != NULL ? (uint32_t)(user - text) + 1
						   : at + scheme_length(text, at, end);

		*rest = (struct span){stop, end - stop};
		if (stop > at && sip_place_parse(text, (struct span){host, stop - host}, place))
			return true;
	}
	return false;
}

static uint32_t skip_blanks(const char *text, uint32_t at, uint32_t end)
{
	while (at < end && strchr(" \t\r\n", text[at]) != NULL)
		at++;
	return at;
}

/* Behind a token, and the slash that must follow it. */
static bool skip_token_slash(const char *text, uint32_t *at, uint32_t end)
{
	const uint32_t start = *at;

	while (*at < end && is_token(text[*at]))
		(*at)++;
	const bool found = *at > start;
	*at = skip_blanks(text, *at, end);
	if (!found || *at == end || text[*at] != '/')
		return false;
	*at = skip_blanks(text, *at + 1, end);
	return true;
}

bool sip_via_parse(const char *text, struct span *rest, struct sip_place *place)
{
	const uint32_t end = end_of(*rest);
	uint32_t at = rest->at;

	/* SIP / 2.0 / UDP host:port ;parameters */
	for (unsigned i = 0; i < 2; i++)
		if (!skip_token_slash(text, &at, end))
			return false;
	while (at < end && is_token(text[at]))
		at++;
	at = skip_blanks(text, at, end);
	if (!sip_place_parse(text, (struct span){at, end - at}, place))
		return false;
	at = end_of(place->number != 0 ? place->port : place->host);
	*rest = (struct span){at, end - at};
	return true;
}

bool sip_parameter(const char *text, struct span rest, const char *name, struct span *value)
{
	const uint32_t end = end_of(rest), length = (uint32_t)strlen(name);
	uint32_t at = rest.at;

	while (at < end && text[at] != ',') {
		if (text[at] == '"') {
			at = skip_quoted(text, at, end);
			continue;
		}
		if (text[at++] != ';')
			continue;
		at = skip_blanks(text, at, end);
		if (end - at < length || strncasecmp(text + at, name, length) != 0 ||
			(end - at > length && is_token(text[at + length])))
			continue;
		at = skip_blanks(text, at + length, end);
		*value = (struct span){at, 0};
		if (at == end || text[at] != '=')
			return true;
		value->at = skip_blanks(text, at + 1, end);
		for (at = value->at; at < end && strchr(";, \t\r\n>", text[at]) == NULL; at++)
			value->length++;
		return true;
	}
	return false;
}
