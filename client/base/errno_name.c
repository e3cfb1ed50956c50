/* What an errno is called. */
#include "errno_name.h"

#include <errno.h>
#include <string.h>

#if __GLIBC_PREREQ(2, 32)

const char *ds_errno_name(int error)
{
    const char *name = strerrorname_np(error);
    return name ? name : "unknown";
}

#else

/* Linux's, for a C library that keeps them to itself. */
#define ENTRY(error)                                                                               \
    {                                                                                              \
        error, #error                                                                              \
    }

static const struct {
    int error;
    const char *name;
} names[] = {ENTRY(EPERM),
             ENTRY(ENOENT),
             ENTRY(ESRCH),
             ENTRY(EINTR),
             ENTRY(EIO),
             ENTRY(ENXIO),
             ENTRY(E2BIG),
             ENTRY(ENOEXEC),
             ENTRY(EBADF),
             ENTRY(ECHILD),
             ENTRY(EAGAIN),
             ENTRY(ENOMEM),
             ENTRY(EACCES),
             ENTRY(EFAULT),
             ENTRY(ENOTBLK),
             ENTRY(EBUSY),
             ENTRY(EEXIST),
             ENTRY(EXDEV),
             ENTRY(ENODEV),
             ENTRY(ENOTDIR),
             ENTRY(EISDIR),
             ENTRY(EINVAL),
             ENTRY(ENFILE),
             ENTRY(EMFILE),
             ENTRY(ENOTTY),
             ENTRY(ETXTBSY),
             ENTRY(EFBIG),
             ENTRY(ENOSPC),
             ENTRY(ESPIPE),
             ENTRY(EROFS),
             ENTRY(EMLINK),
             ENTRY(EPIPE),
             ENTRY(EDOM),
             ENTRY(ERANGE),
             ENTRY(EDEADLK),
             ENTRY(ENAMETOOLONG),
             ENTRY(ENOLCK),
             ENTRY(ENOSYS),
             ENTRY(ENOTEMPTY),
             ENTRY(ELOOP),
             ENTRY(ENOMSG),
             ENTRY(EIDRM),
             ENTRY(ECHRNG),
             ENTRY(EL2NSYNC),
             ENTRY(EL3HLT),
             ENTRY(EL3RST),
             ENTRY(ELNRNG),
             ENTRY(EUNATCH),
             ENTRY(ENOCSI),
             ENTRY(EL2HLT),
             ENTRY(EBADE),
             ENTRY(EBADR),
             ENTRY(EXFULL),
             ENTRY(ENOANO),
             ENTRY(EBADRQC),
             ENTRY(EBADSLT),
             ENTRY(EBFONT),
             ENTRY(ENOSTR),
             ENTRY(ENODATA),
             ENTRY(ETIME),
             ENTRY(ENOSR),
             ENTRY(ENONET),
             ENTRY(ENOPKG),
             ENTRY(EREMOTE),
             ENTRY(ENOLINK),
             ENTRY(EADV),
             ENTRY(ESRMNT),
             ENTRY(ECOMM),
             ENTRY(EPROTO),
             ENTRY(EMULTIHOP),
             ENTRY(EDOTDOT),
             ENTRY(EBADMSG),
             ENTRY(EOVERFLOW),
             ENTRY(ENOTUNIQ),
             ENTRY(EBADFD),
             ENTRY(EREMCHG),
             ENTRY(ELIBACC),
             ENTRY(ELIBBAD),
             ENTRY(ELIBSCN),
             ENTRY(ELIBMAX),
             ENTRY(ELIBEXEC),
             ENTRY(EILSEQ),
             ENTRY(ERESTART),
             ENTRY(ESTRPIPE),
             ENTRY(EUSERS),
             ENTRY(ENOTSOCK),
             ENTRY(EDESTADDRREQ),
             ENTRY(EMSGSIZE),
             ENTRY(EPROTOTYPE),
             ENTRY(ENOPROTOOPT),
             ENTRY(EPROTONOSUPPORT),
             ENTRY(ESOCKTNOSUPPORT),
             ENTRY(EOPNOTSUPP),
             ENTRY(EPFNOSUPPORT),
             ENTRY(EAFNOSUPPORT),
             ENTRY(EADDRINUSE),
             ENTRY(EADDRNOTAVAIL),
             ENTRY(ENETDOWN),
             ENTRY(ENETUNREACH),
             ENTRY(ENETRESET),
             ENTRY(ECONNABORTED),
             ENTRY(ECONNRESET),
             ENTRY(ENOBUFS),
             ENTRY(EISCONN),
             ENTRY(ENOTCONN),
             ENTRY(ESHUTDOWN),
             ENTRY(ETOOMANYREFS),
             ENTRY(ETIMEDOUT),
             ENTRY(ECONNREFUSED),
             ENTRY(EHOSTDOWN),
             ENTRY(EHOSTUNREACH),
             ENTRY(EALREADY),
             ENTRY(EINPROGRESS),
             ENTRY(ESTALE),
             ENTRY(EUCLEAN),
             ENTRY(ENOTNAM),
             ENTRY(ENAVAIL),
             ENTRY(EISNAM),
             ENTRY(EREMOTEIO),
             ENTRY(EDQUOT),
             ENTRY(ENOMEDIUM),
             ENTRY(EMEDIUMTYPE),
             ENTRY(ECANCELED),
             ENTRY(ENOKEY),
             ENTRY(EKEYEXPIRED),
             ENTRY(EKEYREVOKED),
             ENTRY(EKEYREJECTED),
             ENTRY(EOWNERDEAD),
             ENTRY(ENOTRECOVERABLE),
             ENTRY(ERFKILL)};

#undef ENTRY

const char *ds_errno_name(int error)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error)
            return names[i].name;
    return "unknown";
}

#endif
