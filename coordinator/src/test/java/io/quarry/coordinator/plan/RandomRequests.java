package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** All kinds of requests, likely and unlikely ones, as callers, workers and hosts make them. */
final class RandomRequests {
  private static final String NOBODY = "nobody";

  private final Random random;
  private int ids;

  RandomRequests(Random random) {
    this.random = random;
  }

  Request next(RepositoryState state) {
    String image = any(state.images().keySet());
    String fix = any(state.fixes().keySet());
    return switch (random.nextInt(29)) {
      case 0, 1 ->
          new CreateVirtualDisk(
              fresh(state.images().keySet()),
              fresh(state.volumes().keySet()),
              size(),
              random.nextBoolean() ? image : null,
              oneOf(List.of(Strategy.values())),
              random.nextBoolean(),
              JsonNodeFactory.instance.objectNode(),
              worker());
      case 2, 3 ->
          new CreateSnapshot(
              fresh(state.images().keySet()),
              image,
              fresh(state.volumes().keySet()),
              random.nextBoolean(),
              JsonNodeFactory.instance.objectNode(),
              worker());
      case 4 ->
          new PinForCopy(
              fresh(state.pins().keySet()),
              image,
              fresh(state.images().keySet()),
              fresh(state.volumes().keySet()),
              "other",
              image,
              random.nextBoolean() ? any(state.images().keySet()) : null,
              worker());
      case 5 ->
          new CopyImage(
              random.nextBoolean() ? base(state) : fresh(state.images().keySet()),
              fresh(state.volumes().keySet()),
              oneOf(List.of(ImageKind.values())),
              size(),
              random.nextBoolean() ? null : base(state),
              new Volume.CopySource("other", "source", "pin"),
              Strategy.SPACE,
              random.nextBoolean(),
              JsonNodeFactory.instance.objectNode());
      case 6 -> new Unpin(any(state.pins().keySet()));
      case 7, 8 -> new RemoveImage(image, random.nextBoolean(), retain());
      case 9 ->
          new OpenImage(
              fresh(state.opens().keySet()), image, random.nextBoolean(), host(), null, null);
      case 10 -> closing(state);
      case 11 -> new ReapOpens(host());
      case 12 -> random.nextBoolean() ? new QueueFix(fix, null) : stray(fix);
      case 13 -> new StopFix(fix, "stopped");
      case 14 -> new FailFix(fix, "failed");
      case 15, 16 -> mended(fix);
      case 17 -> new TombstoneVolume(fix, volumeOf(fix));
      case 18 -> new PurgeVolume(fix, volumeOf(fix));
      case 19 -> new GrantFixes(new Worker(host(), "life"), Map.of(fix, epochOf(state, fix)));
      case 20 ->
          new SetUserData(image, JsonNodeFactory.instance.objectNode().put("n", random.nextInt(9)));
      case 21 -> new PauseFix(fix);
      case 22 -> new ResumeFix(fix);
      case 23 -> new RestoreImage(image);
      case 24 ->
          new ResizeImage(
              image,
              size(),
              fresh(state.images().keySet()),
              fresh(state.volumes().keySet()),
              worker());
      case 25 -> new FinishStray(fix);
      case 26 ->
          new BeginUpload(
              fresh(state.opens().keySet()), image, fresh(state.volumes().keySet()), host());
      default -> uploaded(state);
    };
  }

  /** Not always one that is here. */
  private String base(RepositoryState state) {
    return random.nextBoolean() ? any(state.images().keySet()) : "elsewhere" + random.nextInt(3);
  }

  /** Sometimes an old one. */
  private long epochOf(RepositoryState state, String fixId) {
    FixState fix = state.fixes().get(fixId);
    return fix == null ? 0 : fix.epoch() - random.nextInt(2);
  }

  private Request closing(RepositoryState state) {
    String open = any(state.opens().keySet());
    Open known = state.opens().get(open);
    return new CloseImage(known == null ? NOBODY : known.imageId(), open);
  }

  private Request uploaded(RepositoryState state) {
    List<Open> uploads =
        state.opens().values().stream()
            .filter(open -> open.fills() != null)
            .sorted(Comparator.comparing(Open::id))
            .toList();
    if (uploads.isEmpty()) {
      return new FinishUpload(any(state.opens().keySet()), NOBODY, NOBODY);
    }
    Open upload = oneOf(uploads);
    String file = random.nextInt(5) == 0 ? NOBODY : upload.fills() + ".2.raw";
    return new FinishUpload(upload.id(), upload.imageId(), file);
  }

  private Request stray(String fix) {
    String file = "file" + random.nextInt(3);
    return new QueueFix(random.nextInt(5) == 0 ? fix : FixState.strayId(file), file);
  }

  private Request mended(String fix) {
    String volume = volumeOf(fix);
    long epoch = 1L + random.nextInt(3);
    String format = random.nextBoolean() ? ".raw" : ".qcow2";
    String file = volume + "." + (1 + random.nextInt(3)) + format;
    boolean replacement = fix.startsWith("optimize") || fix.startsWith("merge");
    return replacement == (random.nextInt(10) > 0)
        ? new FinishReplacement(fix, volume, epoch, file)
        : new FinishMend(fix, volume, epoch, file);
  }

  private static String volumeOf(String fix) {
    return fix.substring(fix.indexOf('-') + 1);
  }

  private long size() {
    return random.nextInt(10) == 0 ? 100 : 512L * (1 + random.nextInt(4));
  }

  private Duration retain() {
    return random.nextBoolean() ? Duration.ZERO : Duration.ofHours(1);
  }

  private String host() {
    return "host" + random.nextInt(2);
  }

  private @Nullable Worker worker() {
    return random.nextBoolean() ? null : new Worker(host(), "incarnation");
  }

  /** Sometimes the id is not so fresh. */
  private String fresh(Collection<String> taken) {
    String known = random.nextInt(12) == 0 ? any(taken) : NOBODY;
    return known.equals(NOBODY) ? "id" + ids++ : known;
  }

  private <T> T oneOf(List<T> choice) {
    return choice.get(random.nextInt(choice.size()));
  }

  /** Sometimes it is none of them. */
  private String any(Collection<String> choice) {
    return choice.isEmpty() || random.nextInt(21) == 0
        ? NOBODY
        : oneOf(choice.stream().sorted().toList());
  }
}
