// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf bgp */
/*
 * What is between a provider and its customers: as-override, allowas-in, private AS numbers, another AS number of ours
 * (RFC 7705), sites of origin, communities, default routes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bgp/path.h"
#include "bgp/tests/pe.h"

#define CE2 "10.1.1.2"
#define CE3 "10.1.1.3"
#define CE4 "10.1.1.4"
#define NEIGHBOR(address, as, session, family) \
	"  neighbor " address "\n   remote-as " #as "\n" session "   address-family ipv4 unicast\n" family "   !\n  !\n"
#define RED(more) \
	"router bgp 65000\n router-id 10.0.0.1\n bgp unsafe-ebgp-policy\n" \
	" neighbor 192.168.0.2\n  remote-as 65000\n  address-family vpnv4 unicast\n  !\n !\n" \
	" vrf RED\n  address-family ipv4 unicast\n  !\n" more " !\n!\n"

static int setup(void **unused)
{
	pe_up();
	return 0;
}

static int teardown(void **unused)
{
	struct bgp_peer *p;

	for (p = bgp_peer_next(bgp, NULL); p; p = bgp_peer_next(bgp, p))
		session_down(p);
	pe_down();
	return 0;
}

/* CEs and, as PE, 192.168.0.2 */
static void start(const char *text)
{
	struct bgp_peer *p;

	take(text);
	for (p = bgp_peer_next(bgp, NULL); p; p = bgp_peer_next(bgp, p))
		session_up(p, p->conf.vrf[0] ? "10.1.1.1" : "192.168.0.1");
}

/* what the other PE exports into RED */
static void pe_tells(const char *prefix, const uint32_t *path, const uint8_t *ext, uint16_t ext_len)
{
	struct telling t = { .prefix = prefix, .nexthop = "192.168.0.2", .rd = "65000:2", .label = 100, .path = path,
			     .ext = ext, .ext_len = ext_len, .has_local_pref = true, .local_pref = 100 };

	tell(peer("", "192.168.0.2"), BGP_VPNV4, &t);
}

/* an LSP to the other PE: its routes carry traffic */
static void path_to_pe(void)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .name = "p", .weight = 1, .n_labels = 1, .labels = { 77 } };
	struct prefix fec = P("192.168.0.2/32");

	assert_true(addr_parse("192.168.0.2", &path.gateway));
	lsp_announce(rib_nht(env.rib), &fec, &path);
	settle();
}

static const uint8_t rt_red[8] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 1 };		/* 65000:1 */

static const char *text_of(const struct bgp_path *p)
{
	static char text[256];
	struct attrs_builder b;
	struct attrs *a;

	memset(&b, 0, sizeof(b));
	b.part[ATTRS_AS_PATH].data = p->b;
	b.part[ATTRS_AS_PATH].len = p->len;
	a = attrs_intern(&b);
	assert_non_null(a);
	attrs_path_str(a, text, sizeof(text));
	attrs_put(a);
	return text;
}

static struct bgp_path path_of(const uint32_t *as, uint8_t type)
{
	struct bgp_path p = { .b = { type } };

	p.len = 2 + put32s(p.b + 2, as);
	p.b[1] = (uint8_t)(p.len / 4);
	if (!p.b[1])
		p.len = 0;
	return p;
}

static const char *without_private(const uint32_t *as, enum bgp_private how, uint32_t keep)
{
	struct bgp_path p = path_of(as, BGP_AS_SEQUENCE);

	bgp_path_remove_private(&p, how, keep);
	return text_of(&p);
}

static void paths(void **unused)
{
	uint8_t sets[] = { 2, 1, 0, 0, 0xfd, 0xe8, 1, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0, 9, 2, 1, 0, 0, 0xfd, 0xea };
	struct bgp_path p = path_of(PATH(0), BGP_AS_SEQUENCE);

	for (int i = 0; i < 300; i++) {
		if (i < 8)
			bgp_path_prepend(&p, 7);
	}
	assert_string_equal(text_of(&p), "7 7 7 7 7 7 7 7");
	bgp_path_override(&p, 7, 4200000000u);
	assert_string_equal(text_of(&p), "4200000000 4200000000 4200000000 4200000000 4200000000 4200000000 "
					 "4200000000 4200000000");
	assert_string_equal(without_private(PATH(64512, 65534, 9, 65000), BGP_PRIVATE_STAY, 0), "64512 65534 9 65000");
	assert_string_equal(without_private(PATH(64512, 65534, 9, 65000), BGP_PRIVATE_LEADING, 0), "9 65000");
	assert_string_equal(without_private(PATH(64512, 65534, 9, 65000), BGP_PRIVATE_ALL, 0), "9");
	assert_string_equal(without_private(PATH(64512, 65534, 9), BGP_PRIVATE_ENTIRE, 0), "64512 65534 9");
	assert_string_equal(without_private(PATH(64512, 4294967294u), BGP_PRIVATE_ENTIRE, 0), "");
	assert_string_equal(without_private(PATH(64512, 65001, 65002), BGP_PRIVATE_ALL, 65001), "65001");
	assert_string_equal(without_private(PATH(64512, 65001, 65002), BGP_PRIVATE_LEADING, 65001), "65001 65002");
	assert_string_equal(without_private(PATH(64512, 65001), BGP_PRIVATE_ENTIRE, 65001), "64512 65001");
	/* borders */
	assert_string_equal(without_private(PATH(64511, 65535, 4199999999u), BGP_PRIVATE_ALL, 0),
			    "64511 65535 4199999999");
	/* empty segments go */
	assert_true(bgp_path_load(&p, sets, sizeof(sets)));
	bgp_path_remove_private(&p, BGP_PRIVATE_ALL, 0);
	assert_int_equal(p.len, 6);
	assert_int_equal(p.b[0], BGP_AS_SET);
	/* a full segment */
	p.b[0] = BGP_AS_SEQUENCE;
	p.b[1] = 255;
	p.len = 2 + 255 * 4;
	bgp_path_prepend(&p, 5);
	assert_int_equal(p.b[1], 1);
	assert_int_equal(p.b[6 + 1], 255);
	assert_false(bgp_path_load(&p, sets, BGP_PATH_MAX + 1));
}

static void as_override(void **unused)
{
	start(RED(NEIGHBOR(CE2, 65010, "", "") NEIGHBOR(CE3, 65010, "", "    as-override\n")
		  NEIGHBOR(CE4, 65010, "", "")));
	ce_tells_path(CE2, "10.10.0.0/16", PATH(65010, 65010, 65077), NULL);
	assert_string_equal(path_told(CE3, "10.10.0.0/16"), "65000 65000 65000 65077");
	assert_string_equal(path_told(CE4, "10.10.0.0/16"), "65000 65010 65010 65077");
	refuse("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   remote-as 65000\n", "not supported");
}

static void our_as_in_paths(void **unused)
{
	struct bgp_peer_family *pf;

	start(RED(NEIGHBOR(CE2, 65010, "", "") NEIGHBOR(CE3, 65011, "", "    allowas-in 2\n")));
	ce_tells_path(CE2, "10.10.0.0/16", PATH(65010, 65000), NULL);
	assert_null(red_best("10.10.0.0/16"));
	ce_tells_path(CE3, "10.11.0.0/16", PATH(65011, 65000, 65000), NULL);
	assert_non_null(red_best("10.11.0.0/16"));
	ce_tells_path(CE3, "10.11.0.0/16", PATH(65011, 65000, 65000, 65000), NULL);
	assert_null(red_best("10.11.0.0/16"));
	pf = &peer("RED", CE3)->family[BGP_IPV4];
	assert_int_equal(pf->refused[BGP_REFUSED_LOOP], 1);
	/* our AS comes by another PE: its session has to allow it too */
	path_to_pe();
	pe_tells("10.12.0.0/16", PATH(65012, 65000), rt_red, 8);
	assert_null(red_best("10.12.0.0/16"));
	take("router bgp 65000\n neighbor 192.168.0.2\n  address-family vpnv4 unicast\n   allowas-in 1\n");
	pe_tells("10.12.0.0/16", PATH(65012, 65000), rt_red, 8);
	assert_non_null(red_best("10.12.0.0/16"));
}

static void private_as_numbers(void **unused)
{
	start(RED(NEIGHBOR(CE2, 65010, "", "") NEIGHBOR(CE3, 3, "", "    remove-private-as leading\n")
		  NEIGHBOR(CE4, 65014, "", "    remove-private-as all\n")));
	ce_tells_path(CE2, "10.10.0.0/16", PATH(65010, 7, 65014, 65011), NULL);
	assert_string_equal(path_told(CE3, "10.10.0.0/16"), "65000 7 65014 65011");
	assert_string_equal(path_told(CE4, "10.10.0.0/16"), "65000 7 65014");
}

static void another_as_of_ours(void **unused)
{
	static const char *const forms[][4] = {
		/* said; told to CE3; CE3's route told to CE4; CE3 says our second AS itself: is it a loop? */
		{ "   local-as 64999\n", "64999 65000 65010", "65000 64999 65011", "loop" },
		{ "   local-as 64999 no-prepend\n", "64999 65000 65010", "65000 65011", "loop" },
		{ "   local-as 64999 no-prepend replace-as\n", "64999 65010", "65000 65011", "loop" },
		{ "   local-as 64999 replace-as\n", "64999 65010", "65000 64999 65011", "loop" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char *text = xasprintf("%s  neighbor " CE3 "\n   remote-as 65011\n   no local-as\n%s"
				       "   address-family ipv4 unicast\n   !\n  !\n !\n!\n",
				       "router bgp 65000\n vrf RED\n", forms[i][0]);

		if (!i)
			start(RED(NEIGHBOR(CE2, 65010, "", "") NEIGHBOR(CE4, 65012, "", "")));
		take(text);
		free(text);
		session_up(peer("RED", CE3), "10.1.1.1");
		ce_tells(CE2, "10.10.0.0/16");
		ce_tells(CE3, "10.11.0.0/16");
		assert_string_equal(path_told(CE3, "10.10.0.0/16"), forms[i][1]);
		assert_string_equal(path_told(CE4, "10.11.0.0/16"), forms[i][2]);
		ce_tells_path(CE3, "10.99.0.0/16", PATH(65011, 64999), NULL);
		assert_null(red_best("10.99.0.0/16"));
		assert_int_equal(bgp_peer_as(peer("RED", CE3)), 64999);
		session_down(peer("RED", CE3));
	}
	/* the session turned out to be with our real AS */
	take("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   local-as 64999 dual-as\n");
	session_up_as(peer("RED", CE3), "10.1.1.1", 65000);
	ce_tells(CE3, "10.11.0.0/16");
	assert_string_equal(path_told(CE3, "10.10.0.0/16"), "65000 65010");
	assert_string_equal(path_told(CE4, "10.11.0.0/16"), "65000 65011");
	refuse("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   local-as 65011\n", "another AS");
	refuse("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   local-as 65000\n", "our AS");
	refuse("router bgp 65000\n neighbor 192.168.0.2\n  local-as 64999\n", "another AS");
}

static const uint8_t site_1[8] = { 0, 3, 0xfd, 0xe8, 0, 0, 0, 1 };
static const uint8_t site_2[8] = { 1, 3, 192, 0, 2, 1, 0, 2 };

static void sites_of_origin(void **unused)
{
	const struct telling elsewhere = {
		.prefix = "10.30.0.0/16", .nexthop = CE2, .path = PATH(65010), .ext = site_2, .ext_len = 8,
	};
	const struct telling round = {
		.prefix = "10.30.0.0/16", .nexthop = CE2, .path = PATH(65010), .ext = site_1, .ext_len = 8,
	};
	uint8_t both[16];
	struct rib_route *r;

	start(RED(NEIGHBOR(CE2, 65010, "", "    site-of-origin 65000:1\n    as-override\n")
		  NEIGHBOR(CE3, 65010, "", "    site-of-origin 65000:1\n    as-override\n")
		  NEIGHBOR(CE4, 65010, "", "    site-of-origin 192.0.2.1:2\n    as-override\n")));
	ce_tells(CE2, "10.10.0.0/16");
	/* attached, and kept through the VPN with the route target */
	r = red_best("10.10.0.0/16");
	assert_true(attrs_has_ext(r->attrs, site_1));
	r = vpn_best("65000:1", "10.10.0.0/16");
	assert_non_null(r);
	assert_true(attrs_has_ext(r->attrs, site_1) && attrs_has_ext(r->attrs, rt_red));
	/* not to the same site, by whichever link */
	assert_null(ce_told(CE3, "10.10.0.0/16"));
	assert_string_equal(path_told(CE4, "10.10.0.0/16"), "65000 65000");
	/* from another PE */
	path_to_pe();
	memcpy(both, rt_red, 8);
	memcpy(both + 8, site_2, 8);
	pe_tells("10.20.0.0/16", PATH(65010), both, 16);
	assert_string_equal(path_told(CE2, "10.20.0.0/16"), "65000 65000");
	assert_null(ce_told(CE4, "10.20.0.0/16"));
	/* what the CE says of its site counts for nothing */
	tell(peer("RED", CE2), BGP_IPV4, &elsewhere);
	assert_non_null(ce_told(CE4, "10.30.0.0/16"));
	/* ... but that it comes from the site itself: it went round */
	tell(peer("RED", CE2), BGP_IPV4, &round);
	assert_null(red_best("10.30.0.0/16"));
	assert_int_equal(peer("RED", CE2)->family[BGP_IPV4].refused[BGP_REFUSED_SITE], 1);
	/* another site: told now what it was not before */
	take("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   address-family ipv4 unicast\n    site-of-origin 65000:3\n");
	assert_string_equal(path_told(CE3, "10.10.0.0/16"), "65000 65000");
	refuse("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   address-family ipv4 unicast\n"
	       "    site-of-origin 70000:70000\n", "out of range");
}

static void communities(void **unused)
{
	uint16_t len, ext;
	struct attrs *a;

	start(RED(NEIGHBOR(CE2, 65010, "", "    site-of-origin 65000:1\n") NEIGHBOR(CE3, 65011, "", "")
		  NEIGHBOR(CE4, 65012, "", "    send-community-ebgp\n    send-extended-community-ebgp\n")));
	ce_tells_path(CE2, "10.10.0.0/16", NULL, PATH(COMMUNITY(65010, 1)));
	a = ce_told(CE3, "10.10.0.0/16");
	attrs_part(a, ATTRS_COMMUNITY, &len);
	attrs_part(a, ATTRS_EXT, &ext);
	assert_int_equal(len, 0);
	assert_int_equal(ext, 0);
	a = ce_told(CE4, "10.10.0.0/16");
	attrs_part(a, ATTRS_COMMUNITY, &len);
	assert_int_equal(len, 4);
	assert_true(attrs_has_ext(a, site_1));
	/* no-export is acted upon, whoever is sent communities */
	ce_tells_path(CE2, "10.11.0.0/16", NULL, PATH(0xffffff01));
	assert_null(ce_told(CE3, "10.11.0.0/16"));
	assert_null(ce_told(CE4, "10.11.0.0/16"));
	/* other PEs get them all */
	attrs_part(told(peer("", "192.168.0.2"), BGP_VPNV4, "10.10.0.0/16"), ATTRS_COMMUNITY, &len);
	assert_int_equal(len, 4);
}

static void default_routes(void **unused)
{
	struct attrs *a;

	start(RED(NEIGHBOR(CE2, 65010, "", "") NEIGHBOR(CE3, 65011, "", "    default-originate\n")
		  NEIGHBOR(CE4, 65012, "", "")));
	assert_string_equal(path_told(CE3, "0.0.0.0/0"), "65000");
	assert_null(ce_told(CE2, "0.0.0.0/0"));
	assert_null(red_best("0.0.0.0/0"));
	/* one that is there is told to others, not in place of ours */
	ce_tells_path(CE2, "0.0.0.0/0", PATH(65010, 7), NULL);
	assert_string_equal(path_told(CE3, "0.0.0.0/0"), "65000");
	assert_string_equal(path_told(CE4, "0.0.0.0/0"), "65000 65010 7");
	take("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   address-family ipv4 unicast\n    no default-originate\n");
	assert_string_equal(path_told(CE3, "0.0.0.0/0"), "65000 65010 7");
	tell(peer("RED", CE2), BGP_IPV4, &(struct telling){ .prefix = "0.0.0.0/0", .withdraw = true });
	assert_null(ce_told(CE3, "0.0.0.0/0"));
	/* by a policy */
	take("route-policy DEFAULT\n statement 10\n  set med 5\n  action accept\n !\n!\n"
	     "router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   address-family ipv4 unicast\n"
	     "    default-originate route-policy DEFAULT\n");
	a = ce_told(CE3, "0.0.0.0/0");
	assert_non_null(a);
	assert_int_equal(a->f.med, 5);
	take("route-policy DEFAULT\n statement 10\n  action reject\n !\n!\n");
	assert_null(ce_told(CE3, "0.0.0.0/0"));
	take("route-policy DEFAULT\n statement 10\n  action accept\n !\n!\n");
	assert_non_null(ce_told(CE3, "0.0.0.0/0"));
	/* it is not judged by what goes out, but nothing goes out without a policy (RFC 8212) */
	take("route-policy NOTHING\n!\nrouter bgp 65000\n vrf RED\n  neighbor " CE3 "\n   address-family ipv4 unicast\n"
	     "    route-policy out NOTHING\n");
	assert_non_null(ce_told(CE3, "0.0.0.0/0"));
	take("router bgp 65000\n no bgp unsafe-ebgp-policy\n vrf RED\n  neighbor " CE3 "\n   address-family ipv4 unicast\n"
	     "    no route-policy out\n");
	assert_null(ce_told(CE3, "0.0.0.0/0"));
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#define GRACEFUL_SHUTDOWN 0xffff0000u

static bool has_mark(const struct attrs *a)
{
	static const uint8_t mark[4] = { 0xff, 0xff, 0, 0 };
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_COMMUNITY, &len);

	for (; len >= 4; p += 4, len -= 4)
		if (!memcmp(p, mark, 4))
			return true;
	return false;
}

/* RFC 8326: what a peer marked is the last to be used, and passed on with the mark where communities are. */
static void graceful_shutdown_received(void **unused)
{
	struct attrs *a;

	start(RED(NEIGHBOR(CE2, 65010, "", "") NEIGHBOR(CE3, 65011, "", "")));
	ce_tells_path(CE2, "10.10.0.0/16", PATH(65010), NULL);
	ce_tells_path(CE3, "10.10.0.0/16", PATH(65011, 65077), NULL);
	assert_int_equal(red_best("10.10.0.0/16")->attrs->path_length, 1);
	ce_tells_path(CE2, "10.10.0.0/16", PATH(65010), PATH(GRACEFUL_SHUTDOWN));
	assert_int_equal(red_best("10.10.0.0/16")->attrs->path_length, 2);
	/* the only one is used all the same, and other PEs hear of both */
	ce_tells_path(CE2, "10.11.0.0/16", PATH(65010), PATH(COMMUNITY(65010, 1), GRACEFUL_SHUTDOWN));
	assert_int_equal(attrs_local_pref(red_best("10.11.0.0/16")->attrs), 0);
	a = told(peer("", "192.168.0.2"), BGP_VPNV4, "10.11.0.0/16");
	assert_non_null(a);
	assert_true(has_mark(a));
	assert_int_equal(attrs_local_pref(a), 0);
	/* taken back */
	ce_tells_path(CE2, "10.10.0.0/16", PATH(65010), NULL);
	assert_int_equal(red_best("10.10.0.0/16")->attrs->path_length, 1);
	/* an internal peer's mark changes nothing here: its own AS lowered it */
	path_to_pe();
	pe_tells("10.12.0.0/16", PATH(65099), rt_red, sizeof(rt_red));
	assert_int_equal(attrs_local_pref(vpn_best("65000:2", "10.12.0.0/16")->attrs), 100);
}

/* ... and what our own configuration marks, both ways, while sessions last. */
static void graceful_maintenance(void **unused)
{
	struct attrs *a;

	start(RED(NEIGHBOR(CE2, 65010, "", "") NEIGHBOR(CE3, 65011, "", "")));
	ce_tells(CE2, "10.10.0.0/16");
	assert_false(has_mark(ce_told(CE3, "10.10.0.0/16")));
	take("router bgp 65000\n vrf RED\n  neighbor " CE3 "\n   graceful-maintenance\n");
	assert_true(peer("RED", CE3)->up);
	a = ce_told(CE3, "10.10.0.0/16");
	assert_non_null(a);
	assert_true(has_mark(a));
	assert_false(a->f.flags & ATTRS_HAS_LOCAL_PREF);
	assert_string_equal(path_told(CE3, "10.10.0.0/16"), "65000 65010");
	/* what it tells after it was asked again */
	ce_tells(CE3, "10.11.0.0/16");
	assert_int_equal(attrs_local_pref(red_best("10.11.0.0/16")->attrs), 0);
	assert_true(has_mark(red_best("10.11.0.0/16")->attrs));
	/* within the AS: the preference as well */
	take("router bgp 65000\n neighbor 192.168.0.2\n  graceful-maintenance\n");
	assert_true(peer("", "192.168.0.2")->up);
	a = told(peer("", "192.168.0.2"), BGP_VPNV4, "10.10.0.0/16");
	assert_non_null(a);
	assert_true(has_mark(a));
	assert_int_equal(attrs_local_pref(a), 0);
	/* over: as before */
	take("router bgp 65000\n no neighbor 192.168.0.2 graceful-maintenance\n"
	     " vrf RED\n  no neighbor " CE3 " graceful-maintenance\n");
	assert_true(peer("RED", CE3)->up && peer("", "192.168.0.2")->up);
	assert_false(has_mark(ce_told(CE3, "10.10.0.0/16")));
	a = told(peer("", "192.168.0.2"), BGP_VPNV4, "10.10.0.0/16");
	assert_false(has_mark(a));
	assert_int_equal(attrs_local_pref(a), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		test(as_override),
		test(our_as_in_paths),
		test(private_as_numbers),
		test(another_as_of_ours),
		test(sites_of_origin),
		test(communities),
		test(default_routes),
		test(graceful_shutdown_received),
		test(graceful_maintenance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
