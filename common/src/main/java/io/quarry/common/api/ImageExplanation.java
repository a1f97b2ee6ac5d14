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
 * Why an image is as it is, and what will become of it.
 *
 * @param visible false for removed images, and for those made for internal needs
 * @param sentences all of it, for people
 * @param missing what keeps it from being optimized; null when nothing does
 * @param retainedUntil until when a removal can surely be undone
 * @param fix what will be done about it; null when there is nothing to do
 * @param neededBy what keeps its data, at most {@link #NEEDS_MAX} of them
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
   * @param hostId who works on it now
   * @param obstacle why nobody does
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

  /** Why nobody works on a fix. */
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
    /** The image can be restored until then. */
    @JsonProperty("retained")
    RETAINED,
    /** No live host reaches the repositories that it needs. */
    @JsonProperty("unreachable")
    UNREACHABLE,
    /** Those that do are drained. */
    @JsonProperty("drained")
    DRAINED,
    /** It would not fit on the storage. */
    @JsonProperty("noSpace")
    NO_SPACE,
    /** No host is elected to hand it out. */
    @JsonProperty("noSdm")
    NO_SDM,
    /** It has to wait for its turn. */
    @JsonProperty("queued")
    QUEUED
  }

  /**
   * @param type {@code overlay}, {@code pin} or {@code open}
   * @param id of the overlay's image, the pin, or the open
   * @param imageId what is copied from this image, for pins; for opens, the image that is open when
   *     it is another one
   * @param hostId where it is open
   * @param owner who has it open
   * @param repoId the repository that is copied into, for pins, as hosts call it; null when no live
   *     host reaches it
   */
  public record Need(
      String type,
      String id,
      @Nullable String imageId,
      @Nullable String hostId,
      @Nullable String owner,
      @Nullable String repoId) {}
}
