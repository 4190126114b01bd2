b.id as "id", b.title as "title", b.author_name as "author.name", b.author_birth_year as "author.birth_year",
b.state as "state", b.published_date as "published_date", b.price as "price", b.tags as "tags",
b.ratings as "ratings", b.chapters as "chapters", b.labels as "labels", b.medium as "medium",
b.copies as "copies", b.cover as "cover", b.rare as "rare", b.isbn as "isbn", b.owner_id as "owner_id",
b.create_time as "create_time", b.bought_time as "bought_time", b.revision as "etag"
