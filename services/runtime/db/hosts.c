/* hosts.c: the servers that a URL lists, tried one at a time.
 *
 * libpq walks such a list by itself, but not where it is asked not to block: a machine that has gone without a word
 * then keeps the whole time allowed for connecting, and the next one in the list is never reached. So each attempt
 * names one, and the next attempt another. */
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

unsigned hosts_parse(const char *url, struct arena *arena, struct host ret_hosts[static DB_HOSTS_MAX])
{
    static const char *const keywords[] = {"host", "hostaddr", "port"};
    const char *lists[] = {NULL, NULL, NULL};
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
    PQconninfoFree(options);
    return count;
}
