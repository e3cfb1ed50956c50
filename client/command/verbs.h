/* What each command does. They open no store of their own, unless their verb says so; what goes
 * wrong is told, in one line each. The status. */
#ifndef DS_VERBS_H
#define DS_VERBS_H

#include "session.h"

enum ds_status ds_ls_run(struct ds_session *session);
enum ds_status ds_info_run(struct ds_session *session);
enum ds_status ds_get_run(struct ds_session *session);
enum ds_status ds_set_run(struct ds_session *session);
enum ds_status ds_append_run(struct ds_session *session);
enum ds_status ds_rm_run(struct ds_session *session);
enum ds_status ds_create_run(struct ds_session *session);
enum ds_status ds_update_run(struct ds_session *session);
enum ds_status ds_delete_run(struct ds_session *session);
enum ds_status ds_export_run(struct ds_session *session);
enum ds_status ds_import_run(struct ds_session *session);
enum ds_status ds_wait_run(struct ds_session *session);
enum ds_status ds_doctor_run(struct ds_session *session);

/* What is wrong with the arguments; NULL: nothing. */
const char *ds_get_fault(const struct ds_arguments *arguments);
const char *ds_set_fault(const struct ds_arguments *arguments);
const char *ds_update_fault(const struct ds_arguments *arguments);
const char *ds_wait_fault(const struct ds_arguments *arguments);

#endif
