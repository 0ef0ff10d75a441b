/* SPDX-License-Identifier: BSD-2-Clause */
/* cppcheck reads no system headers: macros that open a block or declare something, told again. */
#define json_object_foreach(object, key, value)                                                    \
	for (key = json_first(object); key && (value = json_object_get(object, key));              \
		key = json_next(object, key))
#define json_array_foreach(array, index, value)                                                    \
	for (index = 0; index < json_array_size(array) && (value = json_array_get(array, index));  \
		index++)
#define LIST_HEAD(name, type)                                                                      \
	struct {                                                                                   \
		struct type *first;                                                                \
	}
#define TAILQ_HEAD(name, type)                                                                     \
	struct {                                                                                   \
		struct type *first;                                                                \
	}
#define STAILQ_HEAD(name, type)                                                                    \
	struct {                                                                                   \
		struct type *first;                                                                \
	}
#define TAILQ_FOREACH(item, head, field) for (item = (head)->first; item; item = (item)->field.next)
#define LIST_FOREACH(item, head, field)  for (item = (head)->first; item; item = (item)->field.next)
