/* SPDX-License-Identifier: BSD-2-Clause */
/* names: what a network's gateway knows itself. */
#include "dns/names.h"

#include <stdlib.h>
#include "dns/rebind.h"

struct static_name {
	struct dns_name name;
	uint8_t family;
	union addr address;
};

struct dns_own {
	const struct config *config;
	const struct network_config *network;
	uint16_t index;
	struct dns_directory directory;
	struct dns_name domain;
	struct static_name *fixed; /* sorted by name */
	unsigned fixed_count;
	struct dns_name *zones; /* in the order of the config */
	struct dns_name *open;  /* dns-rebind-allow */
};

/* What is asked, and where the answer is written. */
struct inquiry {
	const struct dns_own *names;
	const struct dns_message *query;
	struct dns_writer *writer;
};

static const struct dns_name localhost = {11, "\011localhost"};
static const struct dns_name own_top = {9, "\007tungate"};
static const struct dns_name own_host = {14, "\004host\007tungate"};
static const struct dns_name gateway_label = {9, "\007gateway"};

/* RFC 6761, 7686, 8375, 9462: nobody outside has an answer that is of use. */
static const struct dns_name special[] = {
	{9, "\007invalid"},
	{7, "\005onion"},
	{11, "\004home\004arpa"},
	{15, "\010resolver\004arpa"},
};
#define SPECIAL_COUNT (sizeof(special) / sizeof(special[0]))

/* ---- life ---- */

static int name_compare(const void *a, const void *b)
{
	const struct dns_name *x = &((const struct static_name *)a)->name;
	const struct dns_name *y = &((const struct static_name *)b)->name;

	return x->length != y->length ? x->length - y->length
				      : memcmp(x->bytes, y->bytes, x->length);
}

static bool lists_fill(struct dns_own *names, const struct dns_config *config)
{
	names->fixed = calloc(config->name_count + 1u, sizeof(*names->fixed));
	names->zones = calloc(config->zone_count + 1u, sizeof(*names->zones));
	names->open = calloc(config->rebind_allow_count + 1u, sizeof(*names->open));
	if (names->fixed == NULL || names->zones == NULL || names->open == NULL)
		return false;
	for (unsigned i = 0; i < config->name_count; i++) {
		const struct dns_static_name *line = &config->names[i];
		struct static_name *fixed = &names->fixed[names->fixed_count++];

		dns_name_parse(line->name, &fixed->name);
		fixed->family = line->family;
		fixed->address = line->address;
	}
	qsort(names->fixed, names->fixed_count, sizeof(*names->fixed), name_compare);
	for (unsigned i = 0; i < config->zone_count; i++)
		dns_name_parse(config->zones[i].name, &names->zones[i]);
	for (unsigned i = 0; i < config->rebind_allow_count; i++)
		dns_name_parse(config->rebind_allow[i], &names->open[i]);
	return true;
}

struct dns_own *dns_names_create(
	const struct config *config, uint16_t network, const struct dns_directory *directory)
{
	struct dns_own *names = calloc(1, sizeof(*names));

	if (names == NULL)
		return NULL;
	names->config = config;
	names->network = &config->networks[network];
	names->index = network;
	names->directory = *directory;
	if (!dns_name_parse(names->network->domain, &names->domain))
		names->domain = own_top; /* no name that could have guests in it */
	if (!lists_fill(names, &names->network->names)) {
		dns_names_free(names);
		return NULL;
	}
	return names;
}

void dns_names_free(struct dns_own *names)
{
	if (names == NULL)
		return;
	free(names->fixed);
	free(names->zones);
	free(names->open);
	free(names);
}

/* ---- writing ---- */

static bool wants(const struct dns_message *query, uint16_t type)
{
	return query->type == type || query->type == DNS_ANY;
}

static void write_address(const struct inquiry *inquiry, uint8_t family, const union addr *address)
{
	if (!addr_is_zero(address) && wants(inquiry->query, family == AF_INET ? DNS_A : DNS_AAAA))
		dns_write_address(inquiry->writer, NULL, family, address, DNS_OWN_TTL_S);
}

static void write_pointer(const struct inquiry *inquiry, const struct dns_name *name)
{
	if (wants(inquiry->query, DNS_PTR))
		dns_write_record(inquiry->writer, DNS_ANSWER, NULL, DNS_PTR, DNS_OWN_TTL_S,
			name->bytes, name->length);
}

/* The name exists; where no record was of the type asked for, that is all (NODATA). */
static unsigned finish(const struct inquiry *inquiry, const struct dns_name *zone)
{
	if (dns_get16(inquiry->writer->bytes + 6) == 0)
		dns_write_soa(inquiry->writer, zone, DNS_OWN_TTL_S);
	return DNS_NOERROR;
}

static unsigned refuse(const struct inquiry *inquiry, const struct dns_name *zone)
{
	const bool apex = dns_name_equal(&inquiry->query->name, zone);

	dns_write_soa(inquiry->writer, zone, DNS_OWN_TTL_S);
	return apex ? DNS_NOERROR : DNS_NXDOMAIN;
}

/* ---- names and their addresses ---- */

static const struct static_name *fixed_find(
	const struct dns_own *names, const struct dns_name *name)
{
	const struct static_name wanted = {.name = *name};
	const struct static_name *found = bsearch(
		&wanted, names->fixed, names->fixed_count, sizeof(*names->fixed), name_compare);

	while (found != NULL && found > names->fixed && name_compare(found - 1, &wanted) == 0)
		found--;
	return found;
}

static bool answer_fixed(const struct inquiry *inquiry, const struct dns_name *name)
{
	const struct dns_own *names = inquiry->names;
	const struct static_name *fixed = fixed_find(names, name);

	if (fixed == NULL)
		return false;
	for (; fixed < names->fixed + names->fixed_count && dns_name_equal(&fixed->name, name);
		fixed++)
		write_address(inquiry, fixed->family, &fixed->address);
	return true;
}

static bool answer_gateway(const struct inquiry *inquiry)
{
	write_address(inquiry, AF_INET, &inquiry->names->network->gateway4);
	write_address(inquiry, AF_INET6, &inquiry->names->network->gateway6);
	return true;
}

static bool answer_guest(const struct inquiry *inquiry, const struct dns_name *name)
{
	const struct dns_directory *directory = &inquiry->names->directory;
	static const uint8_t families[] = {AF_INET, AF_INET6};
	char text[DNS_TEXT_SIZE];
	union addr address;
	bool found = false;

	dns_name_format(name, text);
	for (unsigned i = 0; i < 2; i++) {
		if (!directory->address(
			    directory->context, inquiry->names->index, text, families[i], &address))
			continue;
		write_address(inquiry, families[i], &address);
		found = true;
	}
	return found;
}

/* A name without the network's domain; the domain's own name is nobody's. */
static bool answer_in_domain(const struct inquiry *inquiry, const struct dns_name *name)
{
	struct dns_name whole;

	if (name->length == 1)
		return false;
	if (dns_name_join(name, &inquiry->names->domain, &whole) && answer_fixed(inquiry, &whole))
		return true;
	if (dns_name_equal(name, &gateway_label))
		return answer_gateway(inquiry);
	return answer_guest(inquiry, name);
}

static bool answer_by_name(const struct inquiry *inquiry)
{
	const struct dns_own *names = inquiry->names;
	const struct dns_name *asked = &inquiry->query->name;
	struct dns_name relative = {0};

	if (answer_fixed(inquiry, asked))
		return true;
	if (dns_name_equal(asked, &own_host))
		return names->directory.serves(names->directory.context, names->index) &&
		       answer_gateway(inquiry);
	if (dns_name_within(asked, &names->domain)) {
		relative.length = (uint8_t)(asked->length - names->domain.length + 1);
		memcpy(relative.bytes, asked->bytes, relative.length - 1u);
		return answer_in_domain(inquiry, &relative);
	}
	return dns_name_labels(asked) == 1 && answer_in_domain(inquiry, asked);
}

static unsigned answer_localhost(const struct inquiry *inquiry)
{
	const union addr v4 = addr_v4(127, 0, 0, 1), v6 = {.bytes = {[15] = 1}};

	write_address(inquiry, AF_INET, &v4);
	write_address(inquiry, AF_INET6, &v6);
	return finish(inquiry, &localhost);
}

/* ---- addresses and their names ---- */

static const struct prefix *own_subnet(const struct dns_own *names, const struct prefix *prefix)
{
	const struct prefix *subnet =
		prefix->family == AF_INET ? &names->network->subnet4 : &names->network->subnet6;

	return subnet->family != 0 && prefix->length >= subnet->length &&
			       prefix_contains(subnet, prefix->family, &prefix->base)
		       ? subnet
		       : NULL;
}

static bool name_of_own(
	const struct dns_own *names, const struct prefix *prefix, struct dns_name *name)
{
	const union addr *gateway =
		prefix->family == AF_INET ? &names->network->gateway4 : &names->network->gateway6;
	char text[CONFIG_NAME_SIZE];
	struct dns_name label;

	if (addr_equal(&prefix->base, gateway))
		return dns_name_join(&gateway_label, &names->domain, name);
	return names->directory.name(names->directory.context, names->index, prefix->family,
		       &prefix->base, text) &&
	       dns_name_parse(text, &label) && dns_name_join(&label, &names->domain, name);
}

static bool answer_by_address(const struct inquiry *inquiry, const struct prefix *prefix)
{
	const struct dns_own *names = inquiry->names;
	bool found = false;
	struct dns_name name;

	if (prefix->length != addr_bits(prefix->family))
		return false;
	if (addr_is_loopback(prefix->family, &prefix->base)) {
		write_pointer(inquiry, &localhost);
		return true;
	}
	for (unsigned i = 0; i < names->fixed_count; i++) {
		if (names->fixed[i].family != prefix->family ||
			!addr_equal(&names->fixed[i].address, &prefix->base))
			continue;
		write_pointer(inquiry, &names->fixed[i].name);
		found = true;
	}
	if (!found && own_subnet(names, prefix) != NULL && name_of_own(names, prefix, &name)) {
		write_pointer(inquiry, &name);
		found = true;
	}
	return found;
}

/* ---- what is not asked for elsewhere ---- */

static bool zone_of(const struct dns_own *names, const struct dns_name *name, unsigned *zone)
{
	unsigned longest = 0;

	for (unsigned i = 0; i < names->network->names.zone_count; i++) {
		if (names->zones[i].length <= longest || !dns_name_within(name, &names->zones[i]))
			continue;
		longest = names->zones[i].length;
		*zone = i;
	}
	return longest > 0;
}

/* The zone of ours, or nobody's, that the name is in, if any. */
static bool closed_zone(const struct dns_own *names, const struct dns_name *name,
	const struct prefix *reverse, struct dns_name *zone)
{
	if (dns_name_within(name, &names->domain)) {
		*zone = names->domain;
		return true;
	}
	if (dns_name_within(name, &own_top)) {
		*zone = own_top;
		return true;
	}
	if (reverse != NULL) {
		const struct prefix *range = own_subnet(names, reverse);

		if (range == NULL && !names->network->names.rebind)
			range = dns_private_range(reverse);
		if (range != NULL)
			dns_name_of_prefix(range, zone);
		return range != NULL;
	}
	for (unsigned i = 0; i < SPECIAL_COUNT; i++) {
		if (!dns_name_within(name, &special[i]))
			continue;
		*zone = special[i];
		return true;
	}
	return false;
}

static enum dns_names_result find(const struct inquiry *inquiry, unsigned *rcode, unsigned *zone)
{
	const struct dns_name *asked = &inquiry->query->name;
	struct prefix prefix;
	struct dns_name closed;

	if (dns_name_within(asked, &localhost)) {
		*rcode = answer_localhost(inquiry);
		return NAMES_ANSWERED;
	}
	const bool reverse = dns_name_prefix(asked, &prefix);
	if (reverse ? answer_by_address(inquiry, &prefix) : answer_by_name(inquiry)) {
		const struct dns_name *domain = &inquiry->names->domain;

		*rcode = finish(inquiry, dns_name_within(asked, domain) ? domain : asked);
		return NAMES_ANSWERED;
	}
	if (zone_of(inquiry->names, asked, zone))
		return NAMES_ZONE;
	if (closed_zone(inquiry->names, asked, reverse ? &prefix : NULL, &closed)) {
		*rcode = refuse(inquiry, &closed);
		return NAMES_ANSWERED;
	}
	return NAMES_UPSTREAM;
}

enum dns_names_result dns_names_find(const struct dns_own *names, const struct dns_message *query,
	struct dns_writer *writer, unsigned *rcode, unsigned *zone)
{
	const struct inquiry inquiry = {names, query, writer};

	if (query->class != DNS_IN)
		return NAMES_UPSTREAM;
	dns_write_question(writer, 0, 0, query->bytes + DNS_HEADER_BYTES, query->name.length,
		query->type, query->class);
	return find(&inquiry, rcode, zone);
}

bool dns_names_may_be_private(const struct dns_own *names, const struct dns_name *name)
{
	if (names->network->names.rebind)
		return true;
	for (unsigned i = 0; i < names->network->names.rebind_allow_count; i++)
		if (dns_name_within(name, &names->open[i]))
			return true;
	return false;
}
