package io.quarry.common.api;

import io.quarry.common.model.Strategy;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The options that image operations share.
 *
 * @param autoFix whether the fix that the operation needs is queued at once
 * @param strategy the way to prefer where an operation has two
 * @param participatingRepositories repoIds that look-ups are narrowed to; null means all connected
 * @param imageHints image id to the one repoId where it must be found
 */
public record ImageOptions(
    boolean autoFix,
    Strategy strategy,
    @Nullable List<String> participatingRepositories,
    Map<String, String> imageHints) {

  public static final ImageOptions DEFAULT = new ImageOptions(true, Strategy.SPACE, null, Map.of());

  public ImageOptions {
    participatingRepositories =
        participatingRepositories == null ? null : List.copyOf(participatingRepositories);
    imageHints = Map.copyOf(imageHints);
  }
}
