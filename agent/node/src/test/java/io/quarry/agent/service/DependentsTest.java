package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.check.States;
import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Layout;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Open.Layers;
import io.quarry.coordinator.plan.Open.Upload;
import io.quarry.coordinator.plan.Open.User;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Stage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** An operator who asks why space is not freed learns which users keep it, and on which host. */
final class DependentsTest {
  private static final String VM = "vm-7";

  /** A disk that got a volume of its own while a VM reads the former one, over a base. */
  private final RepositoryState state =
      new States()
          .disk("base")
          .volume("base", null, Stage.READY)
          .disk("disk")
          .volume("disk", null, Stage.READY)
          .put(
              new Change.PutVolume(
                  new Volume(
                          "former",
                          "disk",
                          Layout.SPARSE_FILES.over(States.SIZE, "base"),
                          Origin.NONE)
                      .ready("former.1.qcow2")))
          .put(
              new Change.PutOpen(
                  new Open(
                      "o1",
                      "disk",
                      new User("h2", VM, null, null),
                      true,
                      new Layers(List.of("former", "v-base"), null),
                      Upload.NONE,
                      States.NOON)))
          .put(new Change.PutPin(new Pin("p1", "disk", null, "key-b", "copy", States.NOON)))
          .state();

  @Test
  void aFormerVolumeOverAnImageIsNamedByWhoHasItOpen() {
    List<Need> needs = needs().of(image("base"));
    assertThat(needs).containsExactly(new Need("open", "o1", "disk", "h2", VM, null));
    assertThat(Dependents.sentence(needs)).isEqualTo("vm-7 has image disk over it open on h2");
  }

  @Test
  void anImageSaysForWhomItsFormerVolumeIsKept() {
    assertThat(needs().formerVolumes(image("disk")))
        .containsExactly("Its former volume is kept until vm-7 closes image disk on h2.");
    assertThat(needs().formerVolumes(image("base"))).isEmpty();
  }

  @Test
  void aPinNamesTheRepositoryThatCopies() {
    List<Need> needs = needs(host(Map.of("key-b", new RepositoryOnHost("backup", "f", true))));
    assertThat(needs.getFirst()).isEqualTo(new Need("pin", "p1", "copy", null, null, "backup"));
    assertThat(Dependents.sentence(needs)).startsWith("image copy of repository backup needs it");
    assertThat(Dependents.sentence(needs(host(Map.of()))))
        .startsWith("image copy of a repository that no live host reaches");
  }

  private List<Need> needs(HostRecord host) {
    return new Dependents(state, new RepositoryNames(List.of(host))).of(image("disk"));
  }

  private Dependents needs() {
    return new Dependents(state, new RepositoryNames(List.of()));
  }

  private static HostRecord host(Map<String, RepositoryOnHost> repositories) {
    return new HostRecord(
        "h1", "h1-1", "http://h1", States.NOON, repositories, null, null, null, null);
  }

  private Image image(String id) {
    return Objects.requireNonNull(state.images().get(id));
  }
}
