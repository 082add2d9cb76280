/* For each argument, a user's name: what the C library's passwd and group functions say, as sshd's groupaccess.c asks. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct passwd *pw = getpwnam(argv[i]);
		if (pw == NULL) {
			printf("-\n");
			continue;
		}
		printf("%s\x1f%u\x1f%u\x1f%s\x1f%s", pw->pw_name, pw->pw_uid, pw->pw_gid, pw->pw_dir, pw->pw_shell);
		gid_t gids[256];
		int count = 256;
		getgrouplist(argv[i], pw->pw_gid, gids, &count);
		for (int at = 0; at < count; at++) {
			struct group *gr = getgrgid(gids[at]);
			if (gr != NULL)
				printf("\x1f%s", gr->gr_name);
		}
		printf("\n");
	}
	return 0;
}
