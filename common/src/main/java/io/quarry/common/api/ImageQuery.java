package io.quarry.common.api;

import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import org.jspecify.annotations.Nullable;

/**
 * Filters and pages a listing; images come in the order of their ids.
 *
 * @param visibility whether to list images that callers can use, or removed ones
 * @param label {@code name} or {@code name=value}: a top-level userData field
 * @param after the last id of the previous page
 * @param limit images per page, 1 to {@link #LIMIT_MAX}
 * @param atLeast the answer must reflect this commit
 */
public record ImageQuery(
    @Nullable ImageKind kind,
    @Nullable ImageState state,
    Visibility visibility,
    @Nullable String label,
    @Nullable String after,
    int limit,
    long atLeast) {
  public static final int LIMIT_DEFAULT = 100;
  public static final int LIMIT_MAX = 1000;
  public static final ImageQuery ALL =
      new ImageQuery(null, null, Visibility.VISIBLE, null, null, LIMIT_DEFAULT, 0);
}
