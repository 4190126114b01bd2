/* hosts.c: what is read from the URL itself: the servers that it lists, tried one at a time, and how long each has.
 *
 * libpq walks such a list by itself, but not where it is asked not to block: a machine that has gone without a word
 * then keeps the whole time allowed for connecting, and the next one in the list is never reached. So each attempt
 * names one, and the next attempt another. Nor does it look at connect_timeout then. */
#include "internal.h"

/* Item `index` of a comma-separated list, in the arena; a list of one stands for every index. */
static const char *item_copy(const char *list, unsigned index, struct arena *arena)
{
    const char *item = list;
    for (unsigned i = 0; i < index && item; i++) {
        item = strchr(item, ',');
        item = item ? item + 1 : NULL;
    }
    if (!item)
        item = list;
    return arena_strndup(arena, item, strcspn(item, ","));
}

static unsigned items_count(const char *list)
{
    unsigned count = list && *list ? 1 : 0;
    for (; count && *list; list++)
        count += *list == ',';
    return count;
}

unsigned hosts_parse(const char *url, struct arena *arena, struct host ret_hosts[static DB_HOSTS_MAX],
                     int64_t *ret_timeout_us)
{
    static const char *const keywords[] = {"host", "hostaddr", "port", "connect_timeout"};
    const char *lists[] = {NULL, NULL, NULL, NULL};
    unsigned count = 0;
    PQconninfoOption *options = PQconninfoParse(url, NULL); /* NULL: connecting will say what is wrong with it */
    for (PQconninfoOption *option = options; option && option->keyword; option++) {
        for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
            if (option->val && strcmp(option->keyword, keywords[i]) == 0)
                lists[i] = option->val;
    }
    for (size_t i = 0; i < 2; i++)
        count = items_count(lists[i]) > count ? items_count(lists[i]) : count;
    count = count > DB_HOSTS_MAX ? DB_HOSTS_MAX : count;
    for (unsigned i = 0; i < count; i++)
        ret_hosts[i] = (struct host){
            .name = lists[0] ? item_copy(lists[0], i, arena) : NULL,
            .address = lists[1] ? item_copy(lists[1], i, arena) : NULL,
            .port = lists[2] ? item_copy(lists[2], i, arena) : NULL,
        };
    *ret_timeout_us = lists[3] ? 1000000 * (int64_t)strtoul(lists[3], NULL, 10) : 0;
    PQconninfoFree(options);
    return count;
}
