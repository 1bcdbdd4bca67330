/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/sensitive.h"

#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/wildcard.h"
#include "agent/lib/str.h"
#include "kernel/khien_abi.h"

struct sensitive {
	char **patterns; /* owned, `len` of them, without "~" */
	size_t len;
};

/* What "~" stands for. */
static const char *const homes[] = { "/root", "/home/*" };

static const char *const defaults[] = {
	/* passwords and who may do what */
	"/etc/shadow",
	"/etc/shadow-",
	"/etc/gshadow",
	"/etc/gshadow-",
	"/etc/security/opasswd",
	"/etc/sudoers",
	"/etc/sudoers.d/*",
	/* keys of the host */
	"/etc/ssh/ssh_host_*_key",
	"/etc/ssl/private/*",
	"/etc/krb5.keytab",
	"/etc/wireguard/*",
	"/etc/NetworkManager/system-connections/*",
	"/etc/kubernetes/admin.conf",
	"/run/secrets/kubernetes.io/serviceaccount/*/token",
	"/var/lib/sss/secrets/*",
	"/tmp/krb5cc_*",
	/* keys of users */
	"~/.ssh/id_rsa",
	"~/.ssh/id_dsa",
	"~/.ssh/id_ecdsa",
	"~/.ssh/id_ecdsa_sk",
	"~/.ssh/id_ed25519",
	"~/.ssh/id_ed25519_sk",
	"~/.ssh/*.key",
	"~/.ssh/*.pem",
	"~/.gnupg/private-keys-v1.d/*",
	"~/.local/share/keyrings/*",
	"~/.local/share/kwalletd/*",
	/* browsers and mail */
	"~/.mozilla/firefox/*/logins.json",
	"~/.mozilla/firefox/*/key4.db",
	"~/.mozilla/firefox/*/cookies.sqlite",
	"~/snap/firefox/common/.mozilla/firefox/*/logins.json",
	"~/snap/firefox/common/.mozilla/firefox/*/key4.db",
	"~/snap/firefox/common/.mozilla/firefox/*/cookies.sqlite",
	"~/.thunderbird/*/logins.json",
	"~/.thunderbird/*/key4.db",
	"~/.config/google-chrome/*/Login Data",
	"~/.config/google-chrome/*/Cookies",
	"~/.config/google-chrome/*/Network/Cookies",
	"~/.config/chromium/*/Login Data",
	"~/.config/chromium/*/Cookies",
	"~/.config/chromium/*/Network/Cookies",
	"~/.config/microsoft-edge/*/Login Data",
	"~/.config/microsoft-edge/*/Cookies",
	"~/.config/microsoft-edge/*/Network/Cookies",
	/* tokens of services */
	"~/.aws/credentials",
	"~/.azure/accessTokens.json",
	"~/.azure/msal_token_cache.json",
	"~/.config/gcloud/credentials.db",
	"~/.config/gcloud/application_default_credentials.json",
	"~/.config/gh/hosts.yml",
	"~/.config/rclone/rclone.conf",
	"~/.docker/config.json",
	"~/.kube/config",
	"~/.git-credentials",
	"~/.netrc",
	"~/.pgpass",
	"~/.pypirc",
	"~/.vault-token",
};

/* Of the agent, below its state_dir. */
static const char *const ours[] = { "/*", "/quarantine/*", "/releases/*",
				    "/tuf/*" };

void
sensitive_free(struct sensitive *sensitive)
{
	if (!sensitive)
		return;
	for (size_t i = 0; i < sensitive->len; i++)
		free(sensitive->patterns[i]);
	free(sensitive->patterns);
	free(sensitive);
}

void
sensitive_freep(struct sensitive **sensitive)
{
	sensitive_free(*sensitive);
	*sensitive = NULL;
}

/* One pattern out of two parts. */
static int
add_whole(struct sensitive *sensitive, const char *head, const char *tail,
	  size_t len)
{
	char **patterns = reallocarray(sensitive->patterns, sensitive->len + 1,
				       sizeof(*patterns));

	if (!patterns)
		return -ENOMEM;
	sensitive->patterns = patterns;
	if (asprintf(&patterns[sensitive->len], "%s%.*s", head, (int)len,
		     tail) < 0)
		return -ENOMEM;
	sensitive->len++;
	return 0;
}

static int
add(struct sensitive *sensitive, const char *text, size_t len)
{
	int r = 0;

	if (!wildcard_is_valid(text, len))
		return -EINVAL;
	if (text[0] != '~')
		return add_whole(sensitive, "", text, len);
	for (size_t i = 0; r == 0 && i < sizeof(homes) / sizeof(homes[0]); i++)
		r = add_whole(sensitive, homes[i], text + 1, len - 1);
	return r;
}

static int
add_defaults(struct sensitive *sensitive)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(defaults) / sizeof(defaults[0]);
	     i++)
		r = add(sensitive, defaults[i], strlen(defaults[i]));
	return r;
}

static int
add_list(struct sensitive *sensitive, const char *list)
{
	int r = 0;

	while (r == 0 && *list) {
		size_t len = strcspn(list, ":");
		if (len == strlen("default") &&
		    strncmp(list, "default", len) == 0)
			r = add_defaults(sensitive);
		else
			r = add(sensitive, list, len);
		list += len;
		if (*list == ':' && !*++list)
			return -EINVAL;
	}
	return r;
}

/* A folder whose name has a '*' is not one that a pattern can say. */
static int
add_ours(struct sensitive *sensitive, const char *state_dir)
{
	int r = 0;

	if (state_dir[0] != '/' || strchr(state_dir, '*'))
		return 0;
	for (size_t i = 0; r == 0 && i < sizeof(ours) / sizeof(ours[0]); i++)
		r = add_whole(sensitive, state_dir, ours[i], strlen(ours[i]));
	return r;
}

int
sensitive_new(const char *list, const char *state_dir, struct sensitive **ret)
{
	struct sensitive *sensitive CLEANUP(sensitive_freep) =
		calloc(1, sizeof(*sensitive));

	if (!sensitive)
		return -ENOMEM;
	int r = add_list(sensitive, list);
	if (r == 0 && list[0] != '\0')
		r = add_ours(sensitive, state_dir);
	if (r < 0)
		return r;
	*ret = TAKE(sensitive);
	return 0;
}

bool
sensitive_matches(const struct sensitive *sensitive, const char *path)
{
	for (size_t i = 0; i < sensitive->len; i++)
		if (wildcard_matches(sensitive->patterns[i], path))
			return true;
	return false;
}

/* As the kernel program has it: see object_name() there. */
static uint32_t
place_of(const char *name, size_t len)
{
	__u64 begin = 0;

	memcpy(&begin, name, len < sizeof(begin) ? len : sizeof(begin));
	return khien_name_place(begin, (__u32)len);
}

static uint32_t
place_of_head(const char *name)
{
	__u64 begin = 0;

	memcpy(&begin, name, WILDCARD_HEAD);
	return khien_name_place(begin, KHIEN_NAME_HEAD);
}

static void
fill_one(struct khien_names *dst, const char *pattern)
{
	const char *name = strrchr(pattern, '/') + 1;
	const char *folder = name - 1;
	const char *star = strchr(name, '*');
	size_t head = star ? (size_t)(star - name) : strlen(name);

	while (folder > pattern && folder[-1] != '/')
		folder--;
	size_t len = (size_t)(name - 1 - folder);
	/* At the root, or with a '*', it says nothing. */
	bool named = folder < name - 1 && !memchr(folder, '*', len);
	if (star && head < WILDCARD_HEAD) {
		dst->at[place_of(folder, len)] |= KHIEN_FOLDER_ALONE;
		return;
	}
	if (named)
		dst->at[place_of(folder, len)] |= KHIEN_FOLDER_ABOVE;
	if (star)
		dst->at[place_of_head(name)] |=
			named ? KHIEN_HEAD_BELOW : KHIEN_HEAD_ALONE;
	else
		dst->at[place_of(name, head)] |=
			named ? KHIEN_NAME_BELOW : KHIEN_NAME_ALONE;
}

void
sensitive_fill(const struct sensitive *sensitive, struct khien_names *dst)
{
	static struct khien_names names;

	memset(&names, 0, sizeof(names));
	names.len = (__u32)sensitive->len;
	for (size_t i = 0; i < sensitive->len; i++)
		fill_one(&names, sensitive->patterns[i]);
	/* A byte is the old one or the new one: what both have is kept. */
	for (size_t i = 0; i < KHIEN_NAMES; i++)
		__atomic_store_n(&dst->at[i], names.at[i], __ATOMIC_RELAXED);
	__atomic_store_n(&dst->len, names.len, __ATOMIC_RELEASE);
}
