/* A user's name and password. */
#ifndef DS_REST_LOGIN_H
#define DS_REST_LOGIN_H

#define DS_USERNAME_MAX_BYTES 512
#define DS_PASSWORD_MAX_BYTES 1024

/* Part of a locked page (secret.h). */
struct ds_login {
    char username[DS_USERNAME_MAX_BYTES + 1];
    char password[DS_PASSWORD_MAX_BYTES + 1];
};

#endif
