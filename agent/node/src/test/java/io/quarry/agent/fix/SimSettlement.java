package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.Condition;
import io.quarry.coordinator.plan.EndDeadOpens;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.QueueFix;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.ResumeFix;
import io.quarry.coordinator.plan.StalePins;
import io.quarry.coordinator.plan.Unpin;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.sim.Baton;
import io.quarry.coordinator.sim.Life;
import java.util.ArrayList;
import java.util.List;

/**
 * When no more faults come, every caller learns the outcome of its calls, and all images are
 * mended.
 */
final class SimSettlement {
  private static final int WAITS_MAX = 200;

  private final SimWorld world;
  private final Baton.Actor self;
  private final Life life = new Life();

  SimSettlement(SimWorld world, Baton.Actor self) {
    this.world = world;
    this.self = self;
  }

  void settle(SimCaller[] callers, SimGuest[] guests) {
    List<SimCaller.Open> unanswered = new ArrayList<>();
    for (SimCaller caller : callers) {
      unanswered.addAll(caller.unanswered());
    }
    for (SimGuest guest : guests) {
      unanswered.addAll(guest.unanswered());
    }
    for (SimCaller.Open open : unanswered) {
      askUntilAnswered(open);
    }
    while (!self.await(world.requests()::nobodySleeps, "waits for all to wake up")) {
      self.step("goes on waiting");
    }
    for (SimGuest guest : guests) {
      endEarlierBoots(guest);
    }
    for (SimPlace place : world.places()) {
      place.state().opens().values().stream()
          .map(open -> new CloseImage(open.imageId(), open.id()))
          .forEach(close -> ask(place, close));
      letGo(place);
      place.state().fixes().values().stream()
          .filter(fix -> !fix.runnable())
          .forEach(fix -> bringBack(place, fix));
    }
    int waits = 0;
    long seen = world.commits();
    while (!self.await(this::isSettled, "waits for fixes")) {
      waits = world.commits() == seen ? waits + 1 : 0;
      seen = world.commits();
      if (waits == WAITS_MAX) {
        throw new AssertionError("no host does " + toDo());
      }
    }
    for (SimPlace place : world.places()) {
      RepositoryState state = place.state();
      for (Image image : state.images().values()) {
        Volume volume = state.volumeOf(image);
        if (image.visible() && (volume.source() == null || world.isRawCopy(volume))) {
          assertThat(state.isWhole(image))
              .as("%s is whole: %s", image, Condition.reason(state, image))
              .isTrue();
        }
      }
    }
    world.finished();
  }

  /** A call of an earlier boot may have been committed only now. */
  private void endEarlierBoots(SimGuest guest) {
    for (SimPlace place : world.places()) {
      EndDeadOpens ending = guest.ending(place);
      if (ending != null) {
        ask(place, ending);
      }
      assertThat(guest.ending(place)).as("opens of earlier boots").isNull();
    }
  }

  /** Releases pins that no copy needs. */
  private void letGo(SimPlace place) {
    for (Pin pin : place.state().pins().values()) {
      if (!StalePins.isNeeded(pin, world.place(pin.targetKey()).state())) {
        ask(place, new Unpin(pin.id()));
      }
    }
  }

  private void bringBack(SimPlace place, FixState fix) {
    if (fix.paused()) {
      ask(place, new ResumeFix(fix.id()));
    }
    ask(place, new QueueFix(fix.id(), null));
  }

  private void ask(SimPlace place, Request request) {
    askUntilAnswered(new SimCaller.Open(place, world.fresh("request"), request, 0));
  }

  private void askUntilAnswered(SimCaller.Open open) {
    List<SimCaller.Open> again = new ArrayList<>(List.of(open));
    while (!again.isEmpty()) {
      var _ = SimCaller.call(world, life, again.removeFirst(), again);
    }
  }

  private boolean isSettled() {
    return toDo().isEmpty();
  }

  private List<FixState> toDo() {
    List<FixState> fixes = new ArrayList<>();
    for (SimPlace place : world.places()) {
      RepositoryState state = place.state();
      state.fixes().values().stream()
          .filter(fix -> fix.runnable() && (!fix.heavy() || world.isRawCopy(fix, state)))
          .forEach(fixes::add);
    }
    return fixes;
  }
}
