package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Writer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All kinds of requests, likely and unlikely ones, of callers and hosts. The right requests at the
 * end of a fix come from {@link SteppedWork}; this class makes only wrong ones.
 */
public final class RandomRequests {
  public static final List<String> HOSTS = List.of("host0", "host1");
  static final long EXTENT_BYTES = 16 << 20;
  private static final String NOBODY = "nobody";

  private final Random random;
  private final long unit;
  private int ids;

  /**
   * @param unit of the sizes of disks, in bytes
   */
  public RandomRequests(Random random, long unit) {
    this.random = random;
    this.unit = unit;
  }

  /** A repository as a request sees it. */
  public interface View {
    String key();

    RepositoryState state();
  }

  /**
   * A request to one place, which may name things of another place or of the same. Requests that an
   * agent cannot parse are left to {@code HostileRequestsTest}.
   */
  public Request next(View place, View other) {
    while (true) {
      try {
        return any(place, other);
      } catch (StorageException e) {
        assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
      }
    }
  }

  private Request any(View place, View other) {
    RepositoryState state = place.state();
    String image = fit(state, Image::visible);
    String disk = fit(state, one -> one.visible() && one.kind() == ImageKind.VIRTUAL_DISK);
    String snapshot = fit(state, one -> one.visible() && one.kind() == ImageKind.SNAPSHOT);
    String fix = any(state.fixes().keySet());
    return switch (random.nextInt(40)) {
      case 0, 1, 2 ->
          new CreateVirtualDisk(
              fresh(state.images().keySet()),
              fresh(state.volumes().keySet()),
              size(),
              random.nextInt(3) == 0 || snapshot.equals(NOBODY) ? null : snapshot,
              null,
              oneOf(List.of(Strategy.values())),
              random.nextBoolean(),
              JsonNodeFactory.instance.objectNode(),
              worker());
      case 3, 4, 5 ->
          new CreateSnapshot(
              fresh(state.images().keySet()),
              disk,
              fresh(state.volumes().keySet()),
              random.nextBoolean(),
              JsonNodeFactory.instance.objectNode(),
              worker());
      case 6, 7 -> pin(state, image, other);
      case 8, 9, 10 -> copy(place, other);
      case 11 -> unpin(place, other);
      case 12, 13 -> new RemoveImage(image, random.nextBoolean(), retain(), random.nextInt(3) == 0);
      case 14, 15 -> open(state, image);
      case 16, 17 -> closing(state);
      case 18 -> ended(state);
      case 19 -> random.nextBoolean() ? new QueueFix(fix, null) : orphan(fix);
      case 20 -> new StopFix(fix, "stopped");
      case 21 -> new FailFix(fix, "failed");
      case 22 -> wrongEnd(fix);
      case 23 -> new TombstoneVolume(fix, volumeOf(fix));
      case 24 -> new PurgeVolume(fix, volumeOf(fix));
      case 25 -> new GrantFixes(new Worker(host(), "life"), Map.of(fix, epochOf(state, fix)));
      case 26 ->
          switch (random.nextInt(8)) {
            case 0, 1 -> new CancelRequest(null);
            case 2 -> new EnableFeatures(Feature.KNOWN);
            default ->
                new SetUserData(
                    image, JsonNodeFactory.instance.objectNode().put("n", random.nextInt(9)));
          };
      case 27 -> new PauseFix(fix);
      case 28 -> new ResumeFix(fix);
      case 29 -> new RestoreImage(any(state.images().keySet()));
      case 30 ->
          new ResizeImage(
              disk,
              size(),
              fresh(state.images().keySet()),
              fresh(state.volumes().keySet()),
              worker());
      case 31 -> new FinishOrphan(fix);
      case 32 ->
          new BeginUpload(
              fresh(state.opens().keySet()),
              disk,
              fresh(state.volumes().keySet()),
              host(),
              state.images().size() % 2 == 0
                  ? null
                  : new Open.Received(VolumeFormat.QCOW2, 196_624));
      case 33 ->
          new PinAsBase(fresh(state.pins().keySet()), image, other.key(), "id" + ids++, size());
      case 34 -> wrongInPlace(state, fix);
      case 35 -> random.nextInt(4) == 0 ? new EnableFeatures(Feature.KNOWN) : seen(state);
      default -> uploaded(state);
    };
  }

  /** Some witnesses name volumes whose owners may have changed by then. */
  private Request seen(RepositoryState state) {
    if (random.nextInt(4) == 0) {
      // Files of stories do not grow by themselves.
      return new AdoptGrowth(Map.of(any(state.volumes().keySet()), 512L));
    }
    return new WitnessVolumes(
        state.volumes().values().stream()
            .sorted(Comparator.comparing(Volume::id))
            .map(volume ->
                new WitnessVolumes.Seen(
                    volume.id(),
                    random.nextInt(4) == 0 ? NOBODY : volume.imageId(),
                    new Volume.Witness(unit, World.BEGIN)))
            .toList());
  }

  /** A disk over a snapshot of another repository; empty when no snapshot is fit for it. */
  List<Step> overElsewhere(View target, View source) {
    RepositoryState there = source.state();
    List<Image> bases =
        there.images().values().stream()
            .filter(image -> image.kind() == ImageKind.SNAPSHOT && image.visible())
            .filter(image -> there.isWhole(image))
            .toList();
    if (bases.isEmpty()) {
      return List.of();
    }
    Image base = oneOf(bases);
    String disk = "id" + ids++;
    String pin = "id" + ids++;
    long size = random.nextInt(10) == 0 ? size() : Math.max(size(), base.size());
    return List.of(
        new Step.Ask(source.key(), new PinAsBase(pin, base.id(), target.key(), disk, size)),
        new Step.Ask(
            target.key(),
            new CreateVirtualDisk(
                disk,
                fresh(target.state().volumes().keySet()),
                size,
                base.id(),
                new CreateVirtualDisk.Elsewhere(
                    new CopySource(source.key(), base.id(), pin), base.size(), "id" + ids++),
                oneOf(List.of(Strategy.values())),
                random.nextBoolean(),
                JsonNodeFactory.instance.objectNode(),
                worker())));
  }

  /** Mostly an image that fits. */
  private String fit(RepositoryState state, Predicate<Image> fit) {
    List<String> fitting =
        state.images().values().stream().filter(fit.and(state::isWhole)).map(Image::id).toList();
    return random.nextInt(6) == 0 ? any(state.images().keySet()) : any(fitting);
  }

  /** A snapshot keeps its id; the copy of a disk has a fresh one. */
  private Request pin(RepositoryState state, String imageId, View target) {
    Image image = state.images().get(imageId);
    boolean snapshot = image != null && image.kind() == ImageKind.SNAPSHOT;
    List<String> below =
        image == null
            ? List.of()
            : state.chainOf(image).stream()
                .skip(1)
                .filter(one -> one.visible() && one.kind() == ImageKind.SNAPSHOT)
                .map(Image::id)
                .toList();
    String base =
        below.isEmpty() || random.nextInt(8) == 0 ? any(state.images().keySet()) : oneOf(below);
    return new PinForCopy(
        fresh(state.pins().keySet()),
        imageId,
        fresh(state.images().keySet()),
        fresh(state.volumes().keySet()),
        target.key(),
        snapshot ? imageId : "id" + ids++,
        random.nextInt(3) > 0 ? base : null,
        worker());
  }

  /** The second half of a copy, after the pin. Sometimes the request comes too late. */
  private Request copy(View target, View other) {
    View source = random.nextInt(4) == 0 ? target : other;
    RepositoryState there = source.state();
    List<Pin> pins =
        there.pins().values().stream()
            .filter(pin -> pin.targetKey().equals(target.key()) && pin.volumes().isEmpty())
            .sorted(Comparator.comparing(Pin::id))
            .toList();
    Pin pin = pins.isEmpty() ? null : oneOf(pins);
    Image image = pin == null ? null : there.images().get(pin.imageId());
    if (pin == null || image == null || random.nextInt(12) == 0) {
      return impossibleCopy(target.state());
    }
    boolean snapshot = pin.targetImageId().equals(pin.imageId());
    return new CopyImage(
        pin.targetImageId(),
        fresh(target.state().volumes().keySet()),
        snapshot ? ImageKind.SNAPSHOT : ImageKind.VIRTUAL_DISK,
        image.size(),
        pin.baseImageId(),
        new CopySource(source.key(), image.id(), pin.id()),
        oneOf(List.of(Strategy.values())),
        random.nextBoolean(),
        JsonNodeFactory.instance.objectNode());
  }

  /** The source does not exist, and the base may not exist either. */
  private Request impossibleCopy(RepositoryState state) {
    String base = random.nextBoolean() ? any(state.images().keySet()) : "elsewhere";
    return new CopyImage(
        "id" + ids++,
        fresh(state.volumes().keySet()),
        oneOf(List.of(ImageKind.values())),
        size(),
        random.nextBoolean() ? null : base,
        new CopySource("elsewhere", "source", "pin"),
        Strategy.SPACE,
        random.nextBoolean(),
        JsonNodeFactory.instance.objectNode());
  }

  /** Mostly removes a pin that no image needs, as housekeeping does. */
  private Request unpin(View place, View other) {
    List<String> pins = new ArrayList<>();
    for (Pin pin : place.state().pins().values()) {
      View target = pin.targetKey().equals(place.key()) ? place : other;
      if (!StalePins.isNeeded(pin, target.state()) || random.nextInt(8) == 0) {
        pins.add(pin.id());
      }
    }
    return new Unpin(any(pins));
  }

  /** Sometimes an old one. */
  private long epochOf(RepositoryState state, String fixId) {
    FixState fix = state.fixes().get(fixId);
    return fix == null ? 0 : fix.epoch() - random.nextInt(2);
  }

  /** Some of the readers are downloads. */
  private Request open(RepositoryState state, String image) {
    boolean readOnly = random.nextBoolean();
    String life = readOnly && random.nextBoolean() ? "life" : null;
    String host = host();
    HostBoot boot = life == null && random.nextInt(3) > 0 ? boot(host) : null;
    return new OpenImage(fresh(state.opens().keySet()), image, readOnly, host, null, life, boot);
  }

  /** Files get extents and mappings, and lose them, in any order. */
  Request extents(RepositoryState state) {
    String host = host();
    String volume = any(state.volumes().keySet());
    Volume known = state.volumes().get(volume);
    String made = known == null ? volume + ".1.raw" : known.fileOfEpoch(1 + random.nextInt(3));
    String used =
        known == null || known.file() == null || random.nextInt(4) == 0 ? made : known.file();
    List<String> there = state.extents().allocations().stream().map(Allocation::file).toList();
    String file = there.isEmpty() || random.nextInt(3) == 0 ? used : oneOf(there);
    return switch (random.nextInt(8)) {
      case 0 -> new GrowPool(EXTENT_BYTES, 1 + random.nextInt(50));
      case 1, 2 ->
          new ReserveExtents(file, host, boot(host), EXTENT_BYTES * (1 + random.nextInt(4)));
      case 3 -> new MapFiles(host, boot(host), List.of(file));
      case 4, 5 -> new UnmapFiles(host, boot(host), mappings(state, host));
      case 6 -> new FenceMappings(host, mappings(state, host));
      default -> new FreeExtents(file);
    };
  }

  /** Claims of a host that does nothing, wrong checkpoints, and the end of what is left over. */
  Request work(RepositoryState state) {
    Epochs epochs = state.work().epochs();
    String fix = any(epochs.fixes());
    Epoch newest = epochs.newest(fix);
    long epoch = newest == null ? 1 : newest.epoch();
    Worker idle = new Worker("idle", "idle");
    return switch (random.nextInt(3)) {
      case 0 -> {
        long claimed = Math.max(1, epoch - 1 + random.nextInt(3));
        yield new ClaimWork(fix, claimed, idle, "idle", World.BEGIN);
      }
      case 1 -> new SaveCheckpoint(fix, epoch, new Worker("wrong", "wrong"), "far");
      default -> new ForgetWork(isOver(state, volumeOf(fix)) ? fix : NOBODY);
    };
  }

  private static boolean isOver(RepositoryState state, String volumeId) {
    Volume volume = state.volumes().get(volumeId);
    return (volume == null || volume.stage() == Volume.Stage.READY)
        && state.opens().values().stream().noneMatch(open -> volumeId.equals(open.fills()));
  }

  /** Sometimes one of them was allowed anew since. */
  private Map<String, Long> mappings(RepositoryState state, String host) {
    Map<String, Long> all = new HashMap<>(state.extents().mappingsBy(host));
    all.replaceAll((file, since) -> random.nextInt(6) == 0 ? since - 1 : since);
    return all;
  }

  private HostBoot boot(String host) {
    return new HostBoot(
        "key-" + (random.nextInt(5) == 0 ? host() : host), "boot" + random.nextInt(2));
  }

  /** A host dies, comes back, or is given up for some of its opens. */
  private Request ended(RepositoryState state) {
    List<String> opens = state.opens().keySet().stream().sorted().toList();
    String host = host();
    return switch (random.nextInt(3)) {
      case 0 -> new ReapOpens(host);
      case 1 -> new EndDeadOpens(host, boot(host), opens);
      default -> new FenceOpens(host, opens.isEmpty() ? List.of(NOBODY) : List.of(oneOf(opens)));
    };
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

  private Request orphan(String fix) {
    String file = "file" + random.nextInt(3);
    return new QueueFix(random.nextInt(5) == 0 ? fix : FixState.orphanId(file), file);
  }

  /** Names a file of a later epoch than its own, or of another volume or format. */
  private Request wrongEnd(String fix) {
    String volume = volumeOf(fix);
    String file =
        oneOf(
            List.of(
                volume + ".9.raw",
                volume + ".9.qcow2",
                volume + ".1.img",
                volume + ".0.raw",
                NOBODY + ".1.raw"));
    return random.nextBoolean()
        ? new FinishReplacement(fix, volume, 8, file)
        : new FinishMend(fix, volume, 8, file);
  }

  /** From workers that do not run the fix, and never write. */
  private Request wrongInPlace(RepositoryState state, String fix) {
    Writer idle = new Writer(fix, new Worker("idle", "idle"), 1);
    return random.nextBoolean()
        ? new BeginMergeInPlace(volumeOf(fix), any(state.volumes().keySet()), idle, null)
        : new FinishMergeInPlace(volumeOf(fix), new Writer(fix, new Worker("wrong", "wrong"), 1));
  }

  private static String volumeOf(String fix) {
    return fix.substring(fix.indexOf('-') + 1);
  }

  private long size() {
    return random.nextInt(10) == 0 ? 100 : unit * (1 + random.nextInt(4));
  }

  private Duration retain() {
    return random.nextBoolean() ? Duration.ZERO : Duration.ofHours(1);
  }

  private String host() {
    return oneOf(HOSTS);
  }

  private @Nullable Worker worker() {
    return random.nextBoolean() ? null : new Worker(host(), "incarnation");
  }

  /** Sometimes the id is taken already. */
  private String fresh(Collection<String> taken) {
    String known = random.nextInt(12) == 0 ? any(taken) : NOBODY;
    return known.equals(NOBODY) ? "id" + ids++ : known;
  }

  private <T> T oneOf(List<T> choice) {
    return choice.get(random.nextInt(choice.size()));
  }

  /** Sometimes an id that does not exist. */
  private String any(Collection<String> choice) {
    return choice.isEmpty() || random.nextInt(21) == 0
        ? NOBODY
        : oneOf(choice.stream().sorted().toList());
  }
}
