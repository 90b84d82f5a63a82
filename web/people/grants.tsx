/** What somebody is given to do: as fields that choose it, and as words that say it. */
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { CONSORTIUM_ROLES, type ConsortiumRole, type Grants } from '../../workflows/people-contract';
import { consortiaQuery, sitesQuery } from '../api/lists';
import { Button, Check, Choice } from '../parts/controls';

export const NO_GRANTS: Grants = { admin: false, consortia: {}, sites: [] };

export const ROLE_OPTIONS = CONSORTIUM_ROLES.map((key) => ({ key, name: key }));

interface GrantWordsProps {
  grants: Grants;
  /** Said where there is nothing of it. */
  none?: string;
}

/** What somebody may do, a line each. */
export function GrantWords({ grants: { admin, consortia, sites }, none }: GrantWordsProps) {
  if (!admin && sites.length === 0 && Object.keys(consortia).length === 0) return none;
  return (
    <>
      {admin && 'everything'}
      {Object.entries(consortia).map(([consortium, role]) => (
        <span key={consortium} className="hint">
          {role} of {consortium}
        </span>
      ))}
      {sites.length > 0 && <span className="hint">administers {sites.join(', ')}</span>}
    </>
  );
}

interface GrantFieldsProps {
  grants: Grants;
  onChange: (grants: Grants) => void;
}

/** Any of it together: administrator, roles in consortia, sites. */
export function GrantFields({ grants, onChange }: GrantFieldsProps) {
  const { data: consortia = [] } = useQuery(consortiaQuery);
  const { data: sites = [] } = useQuery(sitesQuery);
  const nameOfConsortium = (id: string) => consortia.find((one) => one.id === id)?.name ?? id;
  const withoutConsortium = (id: string) =>
    Object.fromEntries(Object.entries(grants.consortia).filter(([other]) => other !== id));
  return (
    <>
      <Check isSelected={grants.admin} onChange={(admin) => onChange({ ...grants, admin })}>
        As an administrator, who may do everything
      </Check>
      <Added
        title="Consortia"
        add="Add a consortium"
        left={consortia
          .filter(({ id, archivedAt }) => archivedAt === undefined && !Object.hasOwn(grants.consortia, id))
          .map(({ id, name }) => ({ key: id, name }))}
        onAdd={(id) => onChange({ ...grants, consortia: { ...grants.consortia, [id]: 'member' } })}
        added={Object.entries(grants.consortia).map(([id, role]) => ({
          id,
          name: nameOfConsortium(id),
          as: (
            <Choice<ConsortiumRole>
              label={`Role in ${nameOfConsortium(id)}`}
              isLabelHidden
              options={ROLE_OPTIONS}
              value={role}
              onChange={(next) => onChange({ ...grants, consortia: { ...grants.consortia, [id]: next } })}
            />
          ),
        }))}
        onDrop={(id) => onChange({ ...grants, consortia: withoutConsortium(id) })}
      />
      <Added
        title="Sites to administer"
        add="Add a site"
        left={sites
          .filter(({ id }) => !grants.sites.includes(id))
          .map(({ id, name }) => ({ key: id, name: name ?? id }))}
        onAdd={(id) => onChange({ ...grants, sites: [...grants.sites, id] })}
        added={grants.sites.map((id) => ({
          id,
          name: sites.find((site) => site.id === id)?.name ?? id,
        }))}
        onDrop={(id) => onChange({ ...grants, sites: grants.sites.filter((other) => other !== id) })}
      />
    </>
  );
}

interface AddedProps {
  title: string;
  add: string;
  /** What can still be added. */
  left: readonly { key: string; name: string }[];
  onAdd: (id: string) => void;
  added: readonly { id: string; name: string; as?: React.ReactNode }[];
  onDrop: (id: string) => void;
}

/** Several of a list, each of which can be taken out again. */
function Added({ title, add, left, onAdd, added, onDrop }: AddedProps) {
  const id = useId();
  return (
    <div className="added" role="group" aria-labelledby={id}>
      <b id={id}>{title}</b>
      {added.length > 0 && (
        <ul>
          {added.map(({ id: one, name, as }) => (
            <li key={one}>
              <span>{name}</span>
              {as}
              <Button look="quiet" aria-label={`Leave out ${name}`} onPress={() => onDrop(one)}>
                Leave out
              </Button>
            </li>
          ))}
        </ul>
      )}
      {left.length > 0 ? (
        <Choice
          label={add}
          isLabelHidden
          placeholder={`${add}…`}
          options={left}
          value={undefined}
          onChange={onAdd}
        />
      ) : (
        added.length === 0 && <p className="hint">There are none yet.</p>
      )}
    </div>
  );
}
