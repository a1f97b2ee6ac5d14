package io.quarry.agent.chaos;

import io.quarry.common.model.ImageKind;
import java.time.Duration;

/** One image as the customer that made it remembers it. One thread at a time may use it. */
final class Owned {
  /** The state that the repository must report for the image. */
  enum State {
    VISIBLE,
    /** The image was removed and can be restored. */
    RETAINED,
    REMOVED
  }

  static final Duration RETAIN = Duration.ofHours(3);

  final String repoId;
  final String imageId;
  final ImageKind kind;

  /** The request id of the call that made the image; also the image's label. */
  final String maker;

  Content content;
  State state = State.VISIBLE;
  int changes;

  /**
   * Calls about the image whose outcome is unknown; until it is known, the customer leaves the
   * image alone.
   */
  int doubts;

  Owned(String repoId, String imageId, ImageKind kind, String maker, Content content) {
    this.repoId = repoId;
    this.imageId = imageId;
    this.kind = kind;
    this.maker = maker;
    this.content = content;
  }

  boolean is(ImageKind wanted, State inState) {
    return kind == wanted && state == inState && doubts == 0;
  }

  @Override
  public String toString() {
    return kind.label() + " " + imageId + " in " + repoId;
  }
}
