package io.quarry.agent.cli;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows the state of an image and the progress of its fix. */
@Command(
    name = "status",
    description = "Tells how an image is and how far its fix has come.",
    footer = {"", "Example:", "  quarry image status main IMAGE --wait --timeout 5m"})
final class ImageStatusCommand extends ApiCommand {
  /** The answer as JSON. */
  record Answer(String imageId, @JsonUnwrapped ImageStatus status) {}

  @Mixin private ImageArguments about = new ImageArguments();

  @Option(names = "--wait", description = "Wait, with a progress bar.")
  private boolean wait;

  @Option(
      names = "--until",
      paramLabel = "STATE",
      converter = Labels.OfState.class,
      description = "What --wait waits for: optimized (default) or degraded.")
  private ImageState until = ImageState.OPTIMIZED;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      converter = Span.class,
      description = "Wait no longer than this, such as 90s or 5m.")
  private @Nullable Duration timeout;

  @Override
  int run(StorageApi api, Output output) {
    ImageStatus status = api.getImageStatus(about.repo(), about.image(), StatusQuery.NOW);
    int exit = Exit.DONE;
    if (wait) {
      ImageWait.End end =
          new ImageWait(api, main().shell(), output.err())
              .until(until, about.repo(), about.image(), 0, timeout);
      status = api.getImageStatus(about.repo(), about.image(), StatusQuery.NOW);
      exit =
          switch (end) {
            case ImageWait.End.Reached reached -> Exit.DONE;
            case ImageWait.End.TimedOut timedOut -> {
              String watch = ImageWait.watchWith(about.repo(), about.image());
              output.remark("timed out; " + GoesOn.text(watch));
              yield Exit.TIMED_OUT;
            }
            case ImageWait.End.Idle idle -> Exit.FAILED;
          };
    }
    ImageStatus last = status;
    output.print(new Answer(about.image(), last), () -> facts(last));
    return exit;
  }

  private Facts facts(ImageStatus status) {
    Facts facts =
        new Facts()
            .fact("image", about.image())
            .fact("state", status.state().label())
            .fact("because", status.reason())
            .fact("commit", status.commit());
    Progress progress = status.progress();
    return progress == null
        ? facts
        : facts
            .fact("stage", progress.stage() + " " + progress.stageName())
            .fact("complete", Units.percent(progress.percentComplete()))
            .fact(
                "data",
                progress.bytesTotal() <= 0 || progress.bytesDone() < 0
                    ? ""
                    : Units.bytes(progress.bytesDone())
                        + " of "
                        + Units.bytes(progress.bytesTotal()))
            .fact("host", progress.hostId())
            .fact("updated", Units.time(progress.updatedAt()))
            .fact("last error", progress.lastError());
  }
}
