package io.quarry.common.api;

import io.quarry.common.model.Limits;
import java.util.List;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Pages a listing, in the order of ids.
 *
 * @param after {@code next} of the previous page
 * @param limit entries per page, 1 to {@link #LIMIT_MAX}
 */
public record PageQuery(@Nullable String after, int limit) {
  public static final int LIMIT_MAX = 1000;

  public static final PageQuery FIRST = new PageQuery(null, LIMIT_MAX);

  public PageQuery {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw StorageException.invalid("limit", "limit is " + limit, "give 1 to " + LIMIT_MAX);
    }
  }

  /** One page of all entries, with as many as an answer has room for. */
  public <T, P> P of(
      List<T> all, Function<T, String> id, BiFunction<List<T>, @Nullable String, P> page) {
    TreeMap<String, T> sorted =
        all.stream()
            .collect(Collectors.toMap(id, Function.identity(), (first, _) -> first, TreeMap::new));
    List<T> rest =
        List.copyOf(after == null ? sorted.values() : sorted.tailMap(after, false).values());
    PageRoom room = new PageRoom(Limits.PAGE_BYTES_MAX);
    int count = 0;
    while (count < Math.min(limit, rest.size()) && room.take(rest.get(count))) {
      count++;
    }
    List<T> fitting = rest.subList(0, count);
    return page.apply(fitting, count < rest.size() ? id.apply(fitting.getLast()) : null);
  }
}
