package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A reader of any store finds each damage, and names the record or checkpoint. */
public interface LogDamageContract {
  /** Each so many bits one is flipped: at each place of a byte. */
  int BITS = 5;

  /** A storage with a new log. */
  HostileStorage storage() throws IOException;

  private static void assertFound(LogHosts hosts, String name, String what) throws IOException {
    LogDamagedException found = catchThrowableOfType(LogDamagedException.class, hosts::fresh);
    assertThat(found).as("%s of %s", what, name).isNotNull();
    assertThat(found.file()).as(what).isEqualTo(hosts.store().describe(name));
    assertThat(found).hasMessageContaining(name);
  }

  @Test
  default void damageAnywhereInALongLogIsFound() throws Exception {
    for (long seed = 0; seed < 150; seed++) {
      Random random = new Random(seed);
      HostileStorage storage = storage();
      LogHosts hosts = new LogHosts(storage);
      Contender writer = Contender.leading(hosts.store(), "a", 1);
      List<String> path = write(writer, random);
      String victim = path.get(random.nextInt(path.size()));
      String what = "seed " + seed + ": " + spoil(storage, victim, random);
      if (victim.endsWith("checkpoint")) {
        assertThat(Fingerprint.of(hosts.fresh())).as(what).isEqualTo(Fingerprint.of(writer.state));
      } else {
        assertFound(hosts, victim, what);
      }
    }
  }

  /** Returns what a new reader reads. */
  private static List<String> write(Contender writer, Random random) throws IOException {
    List<String> path = new ArrayList<>();
    int records = 2 + random.nextInt(40);
    for (int i = 0; i < records; i++) {
      writer.commit("r" + i, "s" + i);
      path.add(Names.record(writer.state.sequence()));
      if (random.nextInt(12) == 0) {
        writer.checkpoint();
        path.clear();
        path.add(Names.checkpoint(writer.state.sequence()));
      }
    }
    return path;
  }

  private static String spoil(HostileStorage storage, String name, Random random)
      throws IOException {
    byte[] bytes = storage.stored(name);
    int at = random.nextInt(bytes.length);
    int kind = random.nextInt(3);
    switch (kind) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> {
        for (int i = at; i < Math.min(bytes.length, at + 512); i++) {
          bytes[i] ^= (byte) 0xff;
        }
      }
      default -> bytes = Arrays.copyOf(bytes, at);
    }
    storage.overwrite(name, bytes);
    return "kind " + kind + " at " + at;
  }

  @Test
  default void twoSpoiltCheckpointsAreFound() throws Exception {
    HostileStorage storage = storage();
    LogHosts hosts = new LogHosts(storage);
    Contender writer = Contender.leading(hosts.store(), "a", 4);
    writer.checkpoint();
    writer.commit("r5");
    storage.overwrite(Names.checkpoint(3), new byte[] {1});
    byte[] whole = storage.stored(Names.checkpoint(4));
    for (int i = 0; i < whole.length * 8; i += BITS) {
      byte[] flipped = whole.clone();
      flipped[i / 8] ^= (byte) (1 << (i % 8));
      storage.overwrite(Names.checkpoint(4), flipped);
      assertFoundOrHarmless(hosts, writer.state, Names.checkpoint(4), "bit " + i);
    }
  }

  /** A store that compresses checkpoints has bits without a meaning. */
  private static void assertFoundOrHarmless(
      LogHosts hosts, LogState state, String name, String what) throws IOException {
    try {
      assertThat(Fingerprint.of(hosts.fresh())).as(what).isEqualTo(Fingerprint.of(state));
    } catch (LogDamagedException e) {
      assertFound(hosts, name, what);
    }
  }
}
