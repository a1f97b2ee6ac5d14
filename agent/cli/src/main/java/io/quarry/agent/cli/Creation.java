package io.quarry.agent.cli;

import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import org.jspecify.annotations.Nullable;

/** The steps after an image's commit: print its id, wait for its data, report the end. */
final class Creation {
  /**
   * The answer as JSON.
   *
   * @param status after waiting; null when the command did not wait
   */
  record Answer(String imageId, long commit, @Nullable ImageStatus status) {}

  private final StorageApi api;
  private final Shell shell;
  private final Output output;
  private final WaitOptions wait;

  Creation(StorageApi api, Shell shell, Output output, WaitOptions wait) {
    this.api = api;
    this.shell = shell;
    this.output = output;
    this.wait = wait;
  }

  /**
   * @param watched the image whose data is on its way; for a snapshot that is the disk
   * @param wanted the state to wait for
   * @param works whether a fix was queued at all
   */
  int finish(String repo, CreatedImage made, String watched, ImageState wanted, boolean works) {
    if (!wait.waits() || !works) {
      print(made, null);
      return Exit.DONE;
    }
    output.early(made.imageId());
    ImageWait.End end =
        new ImageWait(api, shell, output.err())
            .until(wanted, repo, watched, made.commit(), wait.timeout());
    return switch (end) {
      case ImageWait.End.Reached(ImageStatus status) -> {
        finished(made, status);
        yield Exit.DONE;
      }
      case ImageWait.End.TimedOut() -> {
        finished(made, null);
        output.remark("timed out; " + GoesOn.text(ImageWait.watchWith(repo, watched)));
        yield Exit.TIMED_OUT;
      }
      case ImageWait.End.Idle(ImageStatus status, FixInfo fix) -> {
        finished(made, status);
        yield idle(repo, watched, status, fix);
      }
    };
  }

  private void print(CreatedImage made, @Nullable ImageStatus status) {
    output.print(new Answer(made.imageId(), made.commit(), status), made::imageId);
  }

  /** As text, the id was printed before the wait. */
  private void finished(CreatedImage made, @Nullable ImageStatus status) {
    output.print(new Answer(made.imageId(), made.commit(), status), () -> "");
  }

  private int idle(String repo, String image, ImageStatus status, @Nullable FixInfo fix) {
    String reason = status.reason() == null ? "" : ": " + status.reason();
    if (fix == null && status.state() != ImageState.BROKEN) {
      output.remark("it stays " + status.state().label() + reason);
      return Exit.DONE;
    }
    String error = fix == null || fix.lastError() == null ? "" : "; " + fix.lastError();
    throw new StorageException(
        ErrorCode.IMAGE_BROKEN,
        "the image is " + status.state().label() + reason + ", and no host works on it" + error,
        image,
        fix == null
            ? "Copy its base into " + repo + " as well; until then it is complete as an export."
            : "Remove the cause, then run quarry fix " + repo + " --all.");
  }
}
