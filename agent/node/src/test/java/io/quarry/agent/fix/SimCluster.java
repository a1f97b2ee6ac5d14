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
 * The effects of ZooKeeper and of the hosts' views of it, right or wrong. Lives are elected and
 * deposed, get grants, are asked to let go, and are killed. The end of some of them is known.
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
      if (!known.contains(life.self())) {
        known.add(life.self());
      }
      elect(lives);
      grant(world.anyPlace());
      if (world.calm()) {
        world.pass(Duration.ofSeconds(5));
      } else {
        trouble(self, life, lives);
      }
    }
    world.endLives();
  }

  /** Elects a life where none leads, and sometimes one more. */
  private void elect(List<SimLife> lives) {
    for (SimPlace place : world.places()) {
      if (world.leader(place) == null || (!world.calm() && random.nextInt(20) == 0)) {
        lives.get(random.nextInt(lives.size())).repository(place.key()).sdm().lead();
      }
    }
  }

  private void trouble(Baton.Actor self, SimLife life, List<SimLife> lives) {
    switch (random.nextInt(24)) {
      case 0 -> life.repository(world.anyPlace().key()).sdm().stepDown("deposed");
      case 1 -> {
        self.step("kills " + life.self());
        life.life().end();
      }
      case 2, 3 -> life.life().stop();
      case 4 -> lives.forEach(one -> one.life().goOn());
      case 5, 6, 7 -> world.prove();
      case 8, 9 -> letGo(life);
      case 11 -> life.hang();
      case 10 -> world.pass(Duration.ofSeconds(random.nextInt(30)));
      default -> {}
    }
  }

  private void letGo(SimLife life) {
    RunningFix run = life.anyRunning(random);
    if (run != null) {
      run.stop("asked to");
    }
  }

  /** Grants any fix that an SDM takes for waiting, to any life that the SDM takes for alive. */
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
