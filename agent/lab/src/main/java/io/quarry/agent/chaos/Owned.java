package io.quarry.agent.chaos;

import io.quarry.common.model.ImageKind;
import java.time.Duration;

/** One image as the customer that made it knows it. One thread at a time. */
final class Owned {
  /** What the repository must say of it. */
  enum State {
    VISIBLE,
    /** It can be restored. */
    RETAINED,
    REMOVED
  }

  static final Duration RETAIN = Duration.ofHours(3);

  final String repoId;
  final String imageId;
  final ImageKind kind;

  /** The request id of the call that made it, which is its label. */
  final String maker;

  Content content;
  State state = State.VISIBLE;
  int changes;

  /** Calls about it that nobody knows the outcome of: it is left alone until that is known. */
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
