package io.quarry.agent.check;

import io.quarry.agent.fix.StrayFiles;
import io.quarry.agent.fix.VolumeName;
import io.quarry.agent.format.RepositoryStorage;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is on the storage, by name.
 *
 * @param volumes files of volumes
 * @param fixes what fixes have written down, as {@link StrayFiles#ofFix} names it
 * @param foreign files among those of volumes that have no volume's name
 */
record StoredFiles(List<String> volumes, List<String> fixes, List<String> foreign) {

  static StoredFiles list(RepositoryStorage storage) throws IOException {
    List<String> volumes = new ArrayList<>();
    List<String> foreign = new ArrayList<>();
    for (String name : names(storage.volumes())) {
      if (VolumeName.parse(name) != null) {
        volumes.add(name);
      } else if (!name.startsWith(".")) {
        // With a dot begin the names that NFS clients give to what is open and removed.
        foreign.add(name);
      }
    }
    List<String> fixes = names(storage.fixes()).stream().map(StrayFiles::ofFix).toList();
    return new StoredFiles(volumes, fixes, foreign);
  }

  private static List<String> names(Path directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return names;
  }
}
