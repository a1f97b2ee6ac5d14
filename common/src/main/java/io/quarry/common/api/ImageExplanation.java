package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Why an image is in its state, and what the cluster will do about it.
 *
 * @param visible false for removed images, and for those made for internal needs
 * @param sentences the whole explanation, for people
 * @param missing what keeps the image from being optimized; null when nothing does
 * @param retainedUntil until when a removal can surely be undone
 * @param fix the fix that will improve the image; null when none is needed
 * @param neededBy what keeps the image's data, at most {@link #NEEDS_MAX} of them
 * @param neededByCount how many there are in all
 */
public record ImageExplanation(
    String imageId,
    ImageKind kind,
    boolean visible,
    ImageState state,
    List<String> sentences,
    @Nullable String missing,
    @Nullable Instant retainedUntil,
    @Nullable ExplainedFix fix,
    List<Need> neededBy,
    int neededByCount,
    long commit) {
  public static final int NEEDS_MAX = 100;

  public ImageExplanation {
    sentences = List.copyOf(sentences);
    neededBy = List.copyOf(neededBy);
  }

  /**
   * @param state as in {@link FixInfo}
   * @param hostId the host that works on the fix now
   * @param obstacle why no host works on the fix
   */
  public record ExplainedFix(
      String fixId,
      FixType type,
      String state,
      @Nullable String hostId,
      @Nullable Obstacle obstacle,
      @Nullable Instant nextRetryAt,
      @Nullable String lastError,
      @Nullable Progress progress) {}

  /** Why no host works on a fix. */
  public enum Obstacle {
    @JsonProperty("notAsked")
    NOT_ASKED,
    @JsonProperty("stopped")
    STOPPED,
    @JsonProperty("parked")
    PARKED,
    @JsonProperty("paused")
    PAUSED,
    @JsonProperty("retrying")
    RETRYING,
    /** The image can still be restored. */
    @JsonProperty("retained")
    RETAINED,
    /** No live host reaches the repositories that the fix needs. */
    @JsonProperty("unreachable")
    UNREACHABLE,
    /** The hosts that reach these repositories are drained. */
    @JsonProperty("drained")
    DRAINED,
    /** The storage has too little space for the fix. */
    @JsonProperty("noSpace")
    NO_SPACE,
    /** No host is elected to hand out the fix. */
    @JsonProperty("noSdm")
    NO_SDM,
    /** The fix has to wait for its turn. */
    @JsonProperty("queued")
    QUEUED
  }

  /**
   * @param type {@code overlay}, {@code pin} or {@code open}
   * @param id of the overlay's image, the pin, or the open
   * @param imageId for pins, the image that is copied; for opens, the open image when it is another
   *     one
   * @param hostId the host on which the image is open
   * @param owner the user of the open, for people to read
   * @param repoId for pins, the repository of the copy, as hosts call it; null when no live host
   *     reaches it
   */
  public record Need(
      String type,
      String id,
      @Nullable String imageId,
      @Nullable String hostId,
      @Nullable String owner,
      @Nullable String repoId) {}
}
