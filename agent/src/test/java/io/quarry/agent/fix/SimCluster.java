package io.quarry.agent.fix;

import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.GrantFixes;
import io.quarry.coordinator.sim.Baton;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What ZooKeeper and the hosts' views of it bring about, right or wrong: who is elected and
 * deposed, who is granted what, who is asked to let go, who is killed, and whose end is known.
 */
final class SimCluster {
  private static final int STEPS_BETWEEN_MAX = 40;

  private final SimWorld world;
  private final Random random;
  private final List<Worker> known = new ArrayList<>();

  SimCluster(SimWorld world) {
    this.world = world;
    this.random = world.random();
  }

  void rule(Baton.Actor self) {
    while (!world.over()) {
      var _ = self.await(world::over, STEPS_BETWEEN_MAX, "rules");
      List<SimLife> lives = world.lives();
      if (lives.isEmpty()) {
        continue;
      }
      SimLife life = lives.get(random.nextInt(lives.size()));
      SimPlace place = world.anyPlace();
      if (!known.contains(life.self())) {
        known.add(life.self());
      }
      switch (world.calm() ? random.nextInt(8) : random.nextInt(20)) {
        case 0 -> world.pass(Duration.ofSeconds(5));
        case 1, 2, 3 -> life.repository(place.key()).sdm().lead();
        case 4, 5, 6, 7, 8, 9, 10 -> grant(place);
        case 11 -> life.repository(place.key()).sdm().stepDown("deposed");
        case 12, 13 -> letGo(life);
        case 14, 15, 16 -> world.prove();
        case 17 -> {
          self.step("kills " + life.self());
          life.life().end();
        }
        default -> {}
      }
    }
    world.endLives();
  }

  private void letGo(SimLife life) {
    RunningFix run = life.anyRunning(random);
    if (run != null) {
      run.stop("asked to");
    }
  }

  /** Whatever an SDM takes for waiting, to whomever it takes for alive. */
  private void grant(SimPlace place) {
    SimRepository leader = world.leader(place);
    if (leader == null || known.isEmpty()) {
      return;
    }
    Map<String, Long> granted = new TreeMap<>();
    Worker worker = world.calm() ? known.getLast() : known.get(random.nextInt(known.size()));
    leader.state().repository().fixes().values().stream()
        .filter(fix -> fix.runnable() && !fix.heavy() && mayBeGranted(fix, worker))
        .sorted(Comparator.comparing(FixState::id))
        .forEach(fix -> granted.put(fix.id(), fix.epoch()));
    if (!granted.isEmpty()) {
      var _ =
          leader.sdm().submit(world.fresh("grant"), new GrantFixes(worker, Map.copyOf(granted)));
    }
  }

  private boolean mayBeGranted(FixState fix, Worker worker) {
    @Nullable Worker holder = fix.worker();
    if (fix.retryAt() != null && fix.retryAt().isAfter(world.clock().instant())) {
      return false;
    }
    if (holder == null) {
      return true;
    }
    return world.calm() ? !holder.equals(worker) : random.nextInt(6) == 0;
  }
}
