package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.IntNode;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Extension;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.Reply;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Newer agents may use a log in ways that this program does not know: the program says so, and no
 * more.
 */
class FeatureTest {
  private static final Feature NEWER = new Feature("colours", true);
  private static final Feature DECORATION = new Feature("decoration", false);

  private final MemoryDisk disk = new MemoryDisk();
  private final MemorySlotStore store = new MemorySlotStore(disk);
  private Contender sdm = new Contender(store, "a");

  @BeforeEach
  void smallLog() throws Exception {
    sdm = Contender.leading(store, "a", 3);
  }

  private void commit(Change... changes) throws Exception {
    Reply reply = new Reply("enableFeatures", "x", sdm.state.sequence() + 1);
    Entry entry = new Entry("request-" + reply.commit(), reply, List.of(changes));
    CommitLog.Outcome outcome = sdm.log.commit(sdm.state, List.of(entry), Contender.NOW);
    sdm.before = sdm.state;
    sdm.state = ((CommitLog.Outcome.Committed) outcome).state();
  }

  private LogState load() throws Exception {
    return new LogReader(store, () -> {}).load();
  }

  @Test
  void featureOfTheLogIsReplayed() throws Exception {
    assertThat(load().repository().schema().has(Feature.CALL_DIGESTS)).isFalse();
    commit(new Change.PutFeature(Feature.CALL_DIGESTS));
    assertThat(load().repository().schema().has(Feature.CALL_DIGESTS)).isTrue();
    sdm.commit("later");
    sdm.checkpoint();
    assertThat(load().repository().schema().has(Feature.CALL_DIGESTS)).isTrue();
  }

  @Test
  void unknownRequiredFeatureIsNoDamage() throws Exception {
    commit(new Change.PutFeature(NEWER));
    assertTooNew();
    sdm.commit("later");
    store.putIfAbsent(
        Names.checkpoint(sdm.state.sequence()), out -> CheckpointCodec.write(sdm.state, out));
    assertTooNew();
  }

  @Test
  void fieldsThatCameWithTheFeatureAreNoDamageEither() throws Exception {
    commit(new Change.PutFeature(NEWER), pin("p"));
    String name = Names.record(sdm.state.sequence());
    rewrite(name, text -> text.replace("\"targetKey\":", "\"colour\":\"red\",\"targetKey\":"));
    assertTooNew();
  }

  @Test
  void unknownFieldWithoutAFeatureIsRefused() throws Exception {
    commit(pin("p"));
    String name = Names.record(sdm.state.sequence());
    rewrite(name, text -> text.replace("\"targetKey\":", "\"colour\":\"red\",\"targetKey\":"));
    assertThatThrownBy(this::load).isInstanceOf(LogDamagedException.class);
  }

  @Test
  void replicaGoesOnWhenTheAgentIsNewEnough() throws Exception {
    commit(new Change.PutFeature(NEWER));
    try (Replica replica = new Replica("r", new LogReader(store, () -> {}))) {
      assertThat(replica.unreadable()).isInstanceOf(LogTooNewException.class);
    }
  }

  @Test
  void extensionsOfUnknownFeaturesAreKeptUntilTheirSubjectGoes() throws Exception {
    commit(
        new Change.PutFeature(DECORATION),
        new Change.PutExtension(new Extension("decoration", "volume-1", IntNode.valueOf(7))));
    sdm.commit("later");
    sdm.checkpoint();
    LogState read = load();
    assertThat(read.repository().schema().extension("volume-1", DECORATION))
        .isEqualTo(new Extension("decoration", "volume-1", IntNode.valueOf(7)));
    commit(new Change.DropVolume("volume-1"));
    assertThat(load().repository().schema().extensions()).isEmpty();
  }

  private static Change pin(String id) {
    return new Change.PutPin(new Pin(id, "image", null, "key", "target", Contender.NOW));
  }

  private void assertTooNew() {
    assertThatThrownBy(this::load)
        .isInstanceOf(LogTooNewException.class)
        .hasMessageContaining("colours");
  }

  /** Changes a record as another program would have written it, with a matching header. */
  private void rewrite(String name, UnaryOperator<String> change) {
    byte[] whole = Objects.requireNonNull(disk.read(name));
    int header = Codec.RECORD_HEADER_BYTES;
    String text = new String(whole, header, whole.length - header, StandardCharsets.UTF_8);
    String changed = change.apply(text);
    assertThat(changed).isNotEqualTo(text);
    byte[] body = changed.getBytes(StandardCharsets.UTF_8);
    String hash = HexFormat.of().formatHex(Codec.sha256().digest(body));
    byte[] start = Codec.recordHeader(Names.recordNumber(name), hash);
    byte[] all = Arrays.copyOf(start, start.length + body.length);
    System.arraycopy(body, 0, all, start.length, body.length);
    disk.overwrite(name, all);
  }
}
