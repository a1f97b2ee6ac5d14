package io.quarry.agent.fix;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.CopyImage;
import io.quarry.coordinator.plan.CreateSnapshot;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.EnableFeatures;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.PauseFix;
import io.quarry.coordinator.plan.PinForCopy;
import io.quarry.coordinator.plan.QueueFix;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RestoreImage;
import io.quarry.coordinator.plan.ResumeFix;
import io.quarry.coordinator.plan.StopFix;
import io.quarry.coordinator.plan.Unpin;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.sim.Life;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.assertj.core.api.Assertions;
import org.jspecify.annotations.Nullable;

/** An engine that makes one call after the other, and remembers the answers. */
final class SimCaller {
  private static final int CALLS = 24;
  private static final int PAUSE_STEPS_MAX = 120;

  /** One in so many ids is used for another call, too. */
  private static final int REUSE_ONE_IN = 6;

  private final SimWorld world;
  private final Random random;
  private final Life life = new Life();

  /** Calls without an answer: repeating them settles their outcome. */
  private final List<Open> unanswered = new ArrayList<>();

  /**
   * A call that has begun.
   *
   * @param newest the newest commit of that place that any caller knew by then
   * @param lost whether the outcome of an earlier try is unknown
   */
  record Open(SimPlace place, String requestId, Request request, long newest, boolean lost) {
    Open(SimPlace place, String requestId, Request request, long newest) {
      this(place, requestId, request, newest, false);
    }

    boolean isSame(Open other) {
      return requestId.equals(other.requestId);
    }

    Open asLost() {
      return new Open(place, requestId, request, newest, true);
    }
  }

  SimCaller(SimWorld world) {
    this.world = world;
    this.random = world.random();
  }

  List<Open> unanswered() {
    return unanswered;
  }

  void callAll() {
    if (random.nextBoolean()) {
      world.places().forEach(place -> ask(place, new EnableFeatures(Feature.KNOWN)));
    }
    for (int i = 0; i < CALLS; i++) {
      var _ = life.await(world::over, PAUSE_STEPS_MAX, "thinks");
      SimPlace place = world.anyPlace();
      if (!unanswered.isEmpty() && random.nextInt(3) == 0) {
        var _ = call(unanswered.remove(random.nextInt(unanswered.size())));
      } else {
        callOnce(place);
      }
    }
    world.finished();
  }

  private void callOnce(SimPlace place) {
    RepositoryState state = place.state();
    Image snapshot = any(state, raw(state, ImageKind.SNAPSHOT));
    Image disk = any(state, raw(state, ImageKind.VIRTUAL_DISK));
    Image image = any(state, Image::visible);
    switch (random.nextInt(20)) {
      case 0, 1 -> ask(place, disk(null));
      case 2 -> ask(place, disk(snapshot));
      case 3, 4 -> {
        if (disk != null) {
          ask(place, snapshotOf(disk));
        }
      }
      case 5 -> {
        if (disk != null) {
          changeMind(place, disk);
        }
      }
      case 6, 7, 8, 9, 10, 11, 12, 13 -> {
        Image source = snapshot == null || random.nextInt(3) > 0 ? disk : snapshot;
        if (source != null) {
          copy(place, source);
        }
      }
      case 14, 15 -> {
        if (image != null) {
          Duration retain = Duration.ofSeconds(random.nextInt(3) == 0 ? 20 : 0);
          ask(place, new RemoveImage(image.id(), true, retain, random.nextInt(4) == 0));
        }
      }
      case 16 -> {
        Image hidden = any(state, one -> !one.visible());
        if (hidden != null) {
          ask(place, new RestoreImage(hidden.id()));
        }
      }
      default -> disturb(place, state);
    }
  }

  /** Operators stop, pause and resume fixes. */
  private void disturb(SimPlace place, RepositoryState state) {
    List<FixState> fixes =
        state.fixes().values().stream()
            .filter(FixState::heavy)
            .sorted(Comparator.comparing(FixState::id))
            .toList();
    if (!fixes.isEmpty()) {
      String fix = fixes.get(random.nextInt(fixes.size())).id();
      ask(
          place,
          switch (random.nextInt(4)) {
            case 0 -> new StopFix(fix, "stopped");
            case 1 -> new PauseFix(fix);
            case 2 -> new ResumeFix(fix);
            default -> new QueueFix(fix, null);
          });
    }
  }

  private Request disk(@Nullable Image base) {
    return new CreateVirtualDisk(
        world.fresh("disk"),
        world.fresh("v"),
        SimContent.SIZE,
        base == null ? null : base.id(),
        null,
        Strategy.SPACE,
        true,
        JsonNodeFactory.instance.objectNode(),
        null);
  }

  private CreateSnapshot snapshotOf(Image disk) {
    return new CreateSnapshot(
        world.fresh("snapshot"),
        disk.id(),
        world.fresh("v"),
        true,
        JsonNodeFactory.instance.objectNode(),
        null);
  }

  /**
   * While a host is about to clean the disk, the disk is needed again, below a snapshot's overlay.
   */
  private void changeMind(SimPlace place, Image disk) {
    var _ = ask(place, new RemoveImage(disk.id(), true, Duration.ZERO, true));
    var _ = life.await(world::over, PAUSE_STEPS_MAX, "hesitates");
    var _ = ask(place, new RestoreImage(disk.id()));
    CreateSnapshot snapshot = snapshotOf(disk);
    var _ = ask(place, snapshot);
    var _ = ask(place, new RemoveImage(snapshot.snapshotId(), true, Duration.ZERO, false));
  }

  /** Pins the source, then copies. */
  private void copy(SimPlace source, Image image) {
    boolean snapshot = image.kind() == ImageKind.SNAPSHOT;
    SimPlace target = snapshot || random.nextBoolean() ? world.other(source) : source;
    String copy = snapshot ? image.id() : world.fresh("copy");
    String pin = world.fresh("pin");
    Reply pinned =
        ask(
            source,
            new PinForCopy(
                pin,
                image.id(),
                world.fresh("weak"),
                world.fresh("v"),
                target.key(),
                copy,
                null,
                null));
    if (pinned == null) {
      return;
    }
    Open open =
        begin(
            target,
            new CopyImage(
                copy,
                world.fresh("v"),
                image.kind(),
                image.size(),
                null,
                new CopySource(source.key(), pinned.id(), pin),
                Strategy.SPACE,
                true,
                JsonNodeFactory.instance.objectNode()));
    if (call(open) == null && unanswered.stream().noneMatch(open::isSame)) {
      ask(source, new Unpin(pin));
    }
  }

  private @Nullable Reply ask(SimPlace place, Request request) {
    return call(begin(place, request));
  }

  private Open begin(SimPlace place, Request request) {
    return new Open(place, world.fresh("request"), request, place.newestTold());
  }

  /** Null when the call was refused, or its outcome is unknown. */
  @Nullable Reply call(Open open) {
    Reply reply = call(world, life, open, unanswered);
    if (reply != null && reply.digest() != null && random.nextInt(REUSE_ONE_IN) == 0) {
      reuse(open);
    }
    return reply;
  }

  /**
   * Sends another call under the id of an acknowledged one: it must have no effect, and get no
   * answer.
   */
  private void reuse(Open open) {
    Request another = disk(null);
    try {
      Reply reply =
          world.requests().submit(open.place(), life, open.requestId(), another, () -> {});
      throw new AssertionError(another + " under the id of " + open + " is answered: " + reply);
    } catch (StorageException e) {
      Assertions.assertThat(e.code() == ErrorCode.REQUEST_ID_REUSED || e.code().retryable())
          .as("%s under the id of %s: %s", another, open, e)
          .isTrue();
    }
    world.count("ids reused");
  }

  static @Nullable Reply call(SimWorld world, Life asker, Open open, List<Open> unanswered) {
    var lost = new AtomicBoolean(open.lost());
    try {
      Reply reply =
          world
              .requests()
              .submit(open.place(), asker, open.requestId(), open.request(), () -> lost.set(true));
      open.place().acknowledge(open.requestId(), reply);
      Assertions.assertThat(reply.commit()).as("%s", open).isGreaterThan(open.newest());
      return reply;
    } catch (StorageException e) {
      if (e.code() == ErrorCode.OUTCOME_UNKNOWN) {
        unanswered.add(open.asLost());
      } else if (e.code().retryable()) {
        if (!open.lost()) {
          open.place().checkNothingOf(open.requestId());
        }
        unanswered.add(open);
      } else if (lost.get()) {
        return cancel(world, asker, open, unanswered);
      } else {
        open.place().refuse(open.requestId());
      }
      return null;
    }
  }

  /** The refusal of a later try proves nothing about a try whose answer was lost. */
  private static @Nullable Reply cancel(
      SimWorld world, Life asker, Open open, List<Open> unanswered) {
    try {
      Reply reply =
          world
              .requests()
              .submit(open.place(), asker, open.requestId(), new CancelRequest(null), () -> {});
      if (!CancelRequest.made(reply)) {
        open.place().acknowledge(open.requestId(), reply);
        return reply;
      }
      world.count("cancelled");
      open.place().refuse(open.requestId());
    } catch (StorageException e) {
      unanswered.add(open.asLost());
    }
    return null;
  }

  private static Predicate<Image> raw(RepositoryState state, ImageKind kind) {
    return image ->
        image.kind() == kind
            && image.visible()
            && state.isWhole(image)
            && state.volumeOf(image).format() == VolumeFormat.RAW
            && state.volumeOf(image).stage() == Volume.Stage.READY;
  }

  private @Nullable Image any(RepositoryState state, Predicate<Image> fit) {
    List<Image> fitting = state.images().values().stream().filter(fit).toList();
    return fitting.isEmpty() ? null : fitting.get(random.nextInt(fitting.size()));
  }
}
