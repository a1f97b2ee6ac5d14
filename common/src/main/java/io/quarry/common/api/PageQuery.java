package io.quarry.common.api;

import io.quarry.common.model.Limits;
import java.util.ArrayList;
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
    return ofSorted(sorted.values(), id, Function.identity(), page);
  }

  /**
   * One page of what is sorted by its ids: it ends with the last entry that it has room for, in
   * number and in bytes.
   *
   * @param view of the entries that come onto the page, and of one more at most
   */
  public <T, E, P> P ofSorted(
      Iterable<T> sorted,
      Function<T, String> id,
      Function<T, E> view,
      BiFunction<List<E>, @Nullable String, P> page) {
    PageRoom room = new PageRoom(Limits.PAGE_BYTES_MAX);
    List<E> fitting = new ArrayList<>();
    String last = null;
    for (T next : sorted) {
      if (after != null && id.apply(next).compareTo(after) <= 0) {
        continue;
      }
      E entry = fitting.size() < limit ? view.apply(next) : null;
      if (entry == null || !room.take(entry)) {
        return page.apply(fitting, last);
      }
      fitting.add(entry);
      last = id.apply(next);
    }
    return page.apply(fitting, null);
  }
}
