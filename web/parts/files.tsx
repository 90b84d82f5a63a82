/** Files by name and size, the first of them when there are many. */
import { bytes, count } from '../format';

const MOST = 50;

interface File {
  name: string;
  size: number;
  sha256?: string;
}

interface FileListProps {
  files: readonly File[];
  /** Where they can be downloaded, by name. */
  addressOf?: (name: string) => string;
}

export function FileList({ files, addressOf }: FileListProps) {
  const rest = files.length - MOST;
  return (
    <ul className="files">
      {files.slice(0, MOST).map(({ name, size, sha256 }) => (
        <li key={name}>
          <FileName name={name} url={addressOf?.(name)} />
          <span className="size">{bytes(size)}</span>
          {sha256 !== undefined && (
            <code className="hash" title={`sha256 ${sha256}`}>
              {sha256.slice(0, 12)}
            </code>
          )}
        </li>
      ))}
      {rest > 0 && <li>and {count(rest, 'more file')}</li>}
    </ul>
  );
}

const FileName = ({ name, url }: { name: string; url: string | undefined }) =>
  url === undefined ? (
    <code>{name}</code>
  ) : (
    <a href={url} download={name} rel="noreferrer">
      <code>{name}</code>
    </a>
  );
