package io.quarry.agent.check;

import io.quarry.agent.fix.OrphanFiles;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.coordinator.plan.VolumeName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The files on the storage, by name.
 *
 * @param volumes files of volumes
 * @param fixes names of claims and checkpoints, as {@link OrphanFiles#ofFix} makes them
 * @param foreign files in the volumes' folder that have no volume's name
 */
record StoredFiles(List<String> volumes, List<String> fixes, List<String> foreign) {

  static StoredFiles list(RepositoryStorage storage) throws IOException {
    List<String> volumes = new ArrayList<>();
    List<String> foreign = new ArrayList<>();
    for (String name : storage.volumes().names()) {
      if (VolumeName.parse(name) != null) {
        volumes.add(name);
      } else {
        foreign.add(name);
      }
    }
    List<String> fixes = storage.work().fixes().stream().map(OrphanFiles::ofFix).toList();
    return new StoredFiles(volumes, fixes, foreign);
  }
}
