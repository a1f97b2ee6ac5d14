package io.quarry.coordinator.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.SlotStore.Put;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The contract of every slot store. */
public abstract class SlotStoreContract {
  static final String NAME = Names.record(1);

  /** An empty one, the same at each call within a test. */
  protected abstract SlotStore store() throws IOException;

  static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void readGivesWhatWasPut() throws Exception {
    assertThat(store().putIfAbsent(NAME, bytes("one"))).isEqualTo(Put.CREATED);
    assertThat(store().read(NAME)).isEqualTo(bytes("one"));
  }

  @Test
  void emptyContentIsContent() throws Exception {
    assertThat(store().putIfAbsent(NAME, new byte[0])).isEqualTo(Put.CREATED);
    assertThat(store().read(NAME)).isEmpty();
    assertThat(store().putIfAbsent(NAME, bytes("one"))).isEqualTo(Put.EXISTS);
  }

  @Test
  void takenNameKeepsItsContent() throws Exception {
    store().putIfAbsent(NAME, bytes("one"));
    assertThat(store().putIfAbsent(NAME, bytes("two"))).isEqualTo(Put.EXISTS);
    assertThat(store().read(NAME)).isEqualTo(bytes("one"));
  }

  @Test
  void sameContentAgainExistsToo() throws Exception {
    store().putIfAbsent(NAME, bytes("one"));
    assertThat(store().putIfAbsent(NAME, bytes("one"))).isEqualTo(Put.EXISTS);
  }

  @Test
  void contentDoesNotFollowTheCallersArray() throws Exception {
    byte[] array = bytes("one");
    store().putIfAbsent(NAME, array);
    array[0] = 'X';
    assertThat(store().read(NAME)).isEqualTo(bytes("one"));
  }

  @Test
  void freeNameReadsAsNull() throws Exception {
    assertThat(store().read(NAME)).isNull();
    assertThat(store().readStart(NAME, 3)).isNull();
  }

  @Test
  void startIsCutAtTheLengthOrTheEnd() throws Exception {
    store().putIfAbsent(NAME, bytes("abcdef"));
    assertThat(store().readStart(NAME, 3)).isEqualTo(bytes("abc"));
    assertThat(store().readStart(NAME, 6)).isEqualTo(bytes("abcdef"));
    assertThat(store().readStart(NAME, 99)).isEqualTo(bytes("abcdef"));
  }

  @Test
  void listNamesWhatWasPut() throws Exception {
    store().putIfAbsent(NAME, bytes("one"));
    store().putIfAbsent(Names.checkpoint(1), bytes("two"));
    assertThat(store().list()).containsExactlyInAnyOrder(NAME, Names.checkpoint(1));
  }

  @Test
  void forcingMissingNamesDoesNotMatter() throws Exception {
    store().putIfAbsent(NAME, bytes("one"));
    store().force(List.of(NAME, Names.record(7)));
    assertThat(store().read(NAME)).isEqualTo(bytes("one"));
  }

  @Test
  void headIsUnknownUntilNotedAndThenTheLastOneNoted() throws Exception {
    assertThat(store().readHead()).isEmpty();
    store().writeHead(7);
    assertThat(store().readHead()).hasValue(7);
    store().writeHead(123_456_789);
    assertThat(store().readHead()).hasValue(123_456_789);
    store().writeHead(3);
    assertThat(store().readHead()).hasValue(3);
  }

  @Test
  void headIsNoSlot() throws Exception {
    store().writeHead(7);
    assertThat(store().list()).noneMatch(name -> Names.recordNumber(name) != Names.NONE);
    assertThat(store().list()).noneMatch(name -> Names.checkpointNumber(name) != Names.NONE);
  }

  @Test
  void oneOfManyWinsAName() throws Exception {
    SlotStore store = store();
    int racers = 8;
    try (ExecutorService threads = Executors.newFixedThreadPool(racers)) {
      for (int round = 1; round <= 50; round++) {
        String name = Names.record(round);
        CyclicBarrier start = new CyclicBarrier(racers);
        List<Callable<Put>> puts =
            IntStream.range(0, racers)
                .<Callable<Put>>mapToObj(racer ->
                    () -> {
                      start.await();
                      Put put = store.putIfAbsent(name, bytes("racer " + racer));
                      if (put == Put.CREATED) {
                        assertThat(store.read(name)).isEqualTo(bytes("racer " + racer));
                      }
                      return put;
                    })
                .toList();
        int winners = 0;
        for (var put : threads.invokeAll(puts)) {
          winners += put.get() == Put.CREATED ? 1 : 0;
        }
        assertThat(winners).isEqualTo(1);
      }
    }
  }
}
